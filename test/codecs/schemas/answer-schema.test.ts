import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../../../src/codecs/anthropic-messages/index.ts';
import { bedrockConverse } from '../../../src/codecs/bedrock-converse/index.ts';
import { anthropicAnswerSchema } from '../../../src/codecs/schemas/strict.ts';
import type { JsonObject } from '../../../src/model/json.ts';
import type { ChatRequest } from '../../../src/model/request.ts';
import { strictSchemaProblems } from '../../support/strict-schemas.ts';
import { HARD_SCHEMAS } from './tool-schemas.ts';

const closed = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  ...more,
  additionalProperties: false,
});

const text = { type: 'string' };

describe('the schema of an answer of Claude’s', () => {
  test.each<[what: string, given: JsonObject, written: JsonObject]>([
    ['an open object is closed', { type: 'object', properties: { a: text } }, closed({ a: text })],
    [
      'so is every object in it',
      {
        type: 'object',
        properties: {
          one: { type: 'object', properties: { a: text } },
          many: { type: 'array', items: { type: 'object', properties: { b: text } } },
          either: { anyOf: [{ type: 'object', properties: { c: text } }, { type: 'null' }] },
        },
        $defs: { d: { type: 'object', properties: { d: text } } },
      },
      closed(
        {
          one: closed({ a: text }),
          many: { type: 'array', items: closed({ b: text }) },
          either: { anyOf: [closed({ c: text }), { type: 'null' }] },
        },
        { $defs: { d: closed({ d: text }) } },
      ),
    ],
    [
      'properties of any name have no place',
      { type: 'object', properties: { map: { type: 'object', additionalProperties: text } } },
      closed({ map: closed({}) }),
    ],
    [
      'limits are told in words',
      { type: 'object', properties: { n: { type: 'integer', minimum: 1, maximum: 5 } } },
      closed({ n: { type: 'integer', description: '(minimum: 1; maximum: 5)' } }),
    ],
    [
      'a value of any kind is one that is no list and no object',
      { type: 'object', properties: { a: {}, b: true } },
      closed({
        a: { type: ['string', 'number', 'boolean', 'null'] },
        b: { type: ['string', 'number', 'boolean', 'null'] },
      }),
    ],
    ['one of several is any of them', { oneOf: [text, { type: 'null' }] }, { anyOf: [text, { type: 'null' }] }],
  ])('%s', (_what, given, written) => {
    const { schema, losses } = anthropicAnswerSchema(given);
    expect(JSON.parse(JSON.stringify(schema))).toEqual(written);
    expect(losses.length).toBeGreaterThan(0);
    expect(strictSchemaProblems('anthropic-answer', schema)).toEqual([]);
  });

  test('what is closed already is left as it is', () => {
    const given = closed({ a: text }, { required: ['a'] });
    expect(anthropicAnswerSchema(given)).toMatchObject({ schema: given, losses: [] });
  });

  test.each(HARD_SCHEMAS)('is taken, or not sent: %s', (_name, given) => {
    const { schema, obstacle } = anthropicAnswerSchema(given);
    if (obstacle === undefined) expect(strictSchemaProblems('anthropic-answer', schema)).toEqual([]);
    else expect(obstacle).toBe('the schema holds itself');
  });
});

describe('a format of the answer, asked for in another format', () => {
  const request = (schema: JsonObject): ChatRequest => ({
    model: 'm',
    stream: false,
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
    tools: [],
    settings: { maxOutputTokens: 100, responseFormat: { type: 'json-schema', name: 'answer', schema, strict: true } },
    fallbacks: [],
    untouched: true,
  });
  const loose: JsonObject = { type: 'object', properties: { a: text } };
  const recursive: JsonObject = { type: 'object', properties: { next: { $ref: '#' } } };

  test('goes to Claude closed, with an account of it', () => {
    const { body, losses } = anthropicMessages.encodeRequest(request(loose), { model: 'm', stream: false });
    expect(body.output_config).toEqual({ format: { type: 'json_schema', schema: closed({ a: text }) } });
    expect(losses).toContainEqual({
      field: 'output_config.format.schema.additionalProperties',
      action: 'invented',
      reason: expect.any(String),
    });
  });

  test('goes to Converse closed', () => {
    const { body } = bedrockConverse.encodeRequest(request(loose), { model: 'm', stream: false });
    expect(JSON.stringify(body.outputConfig)).toContain(
      JSON.stringify(JSON.stringify(closed({ a: text }))).slice(1, -1),
    );
  });

  test('is left out and told where it holds itself', () => {
    const { body, losses } = anthropicMessages.encodeRequest(request(recursive), { model: 'm', stream: false });
    expect(body).not.toHaveProperty('output_config');
    expect(losses).toContainEqual({ field: 'response_format', action: 'dropped', reason: expect.any(String) });
  });

  test('becomes a tool for a model that has no structured output, unless it takes no tools either', () => {
    const target = { model: 'claude-3-haiku', stream: false, structuredOutput: false };
    const asked = anthropicMessages.encodeRequest(request(recursive), target);
    expect(asked).toMatchObject({ answersByTool: true, body: { tools: [{ input_schema: recursive }] } });
    expect(asked.body).not.toHaveProperty('output_config');
    const { body, losses } = anthropicMessages.encodeRequest(request(loose), { ...target, tools: false });
    expect(body).not.toHaveProperty('tools');
    expect(losses).toContainEqual(expect.objectContaining({ field: 'output_config.format', action: 'dropped' }));
  });
});
