import { describe, expect, test } from 'vitest';
import { readBody } from '../../src/codecs/body.ts';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { DeferredRequest } from '../../src/model/request.ts';

/** What every object has without being given it. */
const WORDS = ['constructor', 'toString', 'hasOwnProperty', '__proto__'];

const TARGETS = ['anthropic-messages', 'openai-chat', 'openai-responses', 'gemini', 'bedrock-converse'] as const;

/** The request in every format. */
function writtenFor(format: CodecId, body: JsonObject): string {
  const said = format === 'gemini' || format === 'bedrock-converse' ? { model: 'x/m', stream: false } : undefined;
  const { head, source } = readBody(format, Buffer.from(JSON.stringify(body)), said);
  const written = TARGETS.map((target) => {
    const request = new DeferredRequest(head, source, codecs[format].decodeRequest);
    return codecs[target].encodeRequest(request, { model: 'm', stream: false }).body;
  });
  return JSON.stringify(written);
}

const converse = (block: JsonObject): JsonObject => ({
  messages: [{ role: 'user', content: [{ text: 'see' }, block] }],
});

test.each(WORDS)('media in the format %s are media of no known format', (format) => {
  const source = { bytes: 'iVBORw0KGgo=' };
  expect(writtenFor('bedrock-converse', converse({ image: { format, source } }))).toContain('iVBORw0KGgo=');
  expect(writtenFor('bedrock-converse', converse({ document: { format, name: 'd', source } }))).toContain('see');
  const audio = { type: 'input_audio', input_audio: { data: 'AAAA', format } };
  const chat = { model: 'x/m', messages: [{ role: 'user', content: [{ type: 'text', text: 'hear' }, audio] }] };
  expect(writtenFor('openai-chat', chat)).toContain('hear');
});

test.each(WORDS)('a level of thinking that is called %s is none', (thinkingLevel) => {
  const contents = [{ role: 'user', parts: [{ text: 'think' }] }];
  expect(writtenFor('gemini', { contents, generationConfig: { thinkingConfig: { thinkingLevel } } })).toContain(
    'think',
  );
});

test('a type that is no word makes no schema fail', () => {
  const parameters = { type: { toString: 'x' }, properties: { a: { type: [{ toString: 'x' }, 'string'] } } };
  const tools = [{ type: 'function', function: { name: 'f', parameters } }];
  const messages = [{ role: 'user', content: 'hello' }];
  expect(writtenFor('openai-chat', { model: 'x/m', messages, tools })).toContain('"f"');
});

const ERRORS: Readonly<
  Record<(typeof TARGETS)[number], (word: string) => [body: JsonObject, headers: Record<string, string>]>
> = {
  'anthropic-messages': (type) => [{ type: 'error', error: { type, message: 'no' } }, {}],
  'openai-chat': (word) => [{ error: { type: word, code: word, message: 'no' } }, {}],
  'openai-responses': (word) => [{ error: { type: word, code: word, message: 'no' } }, {}],
  gemini: (word) => [{ error: { status: word, message: 'no', details: [{ reason: word }] } }, {}],
  'bedrock-converse': (word) => [{ message: 'no' }, { 'x-amzn-errortype': word }],
};

describe.each(WORDS)('an error that is called %s', (word) => {
  test.each(TARGETS)('of %s is what its status says', (format) => {
    const [body, headers] = ERRORS[format](word);
    const error = codecs[format].decodeError(429, JSON.stringify(body), headers);
    expect(error.kind).toBe('rate-limit');
    for (const target of TARGETS) expect(codecs[target].encodeError(error).status).toBe(429);
  });
});

test.each(WORDS)('a setting called %s is none that anybody knows', (name) => {
  const thinking = { type: 'enabled', budget_tokens: 1_024, [name]: { name: 'x' } };
  const body = { model: 'x/m', max_tokens: 2_048, messages: [{ role: 'user', content: 'hello' }], thinking };
  const { head, source } = readBody('anthropic-messages', Buffer.from(JSON.stringify(body)));
  const request = new DeferredRequest(head, source, codecs['anthropic-messages'].decodeRequest);
  const { losses } = codecs['openai-chat'].encodeRequest(request, { model: 'm', stream: false });
  expect(losses.map(({ field }) => field)).toContain(`thinking.${name}`);
});
