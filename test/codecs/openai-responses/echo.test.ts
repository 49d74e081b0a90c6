import { describe, expect, test } from 'vitest';
import { openaiResponses } from '../../../src/codecs/openai-responses/index.ts';
import type { Origin } from '../../../src/model/content.ts';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { NO_USAGE } from '../../../src/model/usage.ts';
import { dataOf } from './support.ts';

const ASKED: JsonObject = {
  model: 'anthropic/claude',
  instructions: 'Be brief.',
  input: 'hello',
  max_output_tokens: 300,
  temperature: 0.2,
  tools: [{ type: 'function', name: 'look', parameters: {} }],
  tool_choice: 'required',
  parallel_tool_calls: false,
  reasoning: { effort: 'low' },
  text: { verbosity: 'low' },
  metadata: { trip: '7' },
  store: true,
};

const REPEATED = {
  instructions: 'Be brief.',
  max_output_tokens: 300,
  temperature: 0.2,
  tools: [{ type: 'function', name: 'look', description: null, parameters: {}, strict: null }],
  tool_choice: 'required',
  parallel_tool_calls: false,
  reasoning: { effort: 'low', summary: null },
  text: { format: { type: 'text' }, verbosity: 'low' },
  metadata: { trip: '7' },
};

/** The responses that the events of an answer carry. */
function responsesIn(asked: JsonObject, origin?: Origin, endOrigin = origin): JsonObject[] {
  const encode = openaiResponses.encodeStream({ model: 'm', createdAtMs: 5_000, asked: { body: asked } });
  const own = origin ? { origin } : {};
  const ownEnd = endOrigin ? { origin: endOrigin } : {};
  const text = [
    encode({ type: 'response-start', id: 'r', model: 'up', ...own }),
    encode({ type: 'response-end', reason: { kind: 'stop' }, usage: NO_USAGE, ...ownEnd }),
  ].join('');
  return dataOf(text).flatMap(({ response }) => (isObject(response) ? [response] : []));
}

describe('a response repeats its request', () => {
  test('in the first event and in the last', () => {
    const responses = responsesIn(ASKED);
    expect(responses).toHaveLength(3);
    for (const response of responses) expect(response).toMatchObject(REPEATED);
  });

  test('in the same words, whoever answers, and as the whole answer does', () => {
    const [created, inProgress, completed] = responsesIn(ASKED);
    const head = { model: 'm', createdAtMs: 5_000, asked: { body: ASKED } };
    const whole = openaiResponses.encodeResponse(
      { id: 'r', model: 'up', parts: [], reason: { kind: 'stop' }, usage: NO_USAGE },
      head,
    );
    expect(inProgress).toEqual(created);
    expect(JSON.stringify(completed)).toBe(JSON.stringify(whole));
    expect({ ...completed, status: 'in_progress', usage: null }).toEqual(created);
  });

  test('in the last event beside the fields of an upstream that only answers then', () => {
    const own: Origin = { codec: 'openai-responses', block: { service_tier: 'flex', temperature: 0.5, id: 'theirs' } };
    const [created, , completed] = responsesIn(ASKED, undefined, own);
    expect(created).toMatchObject({ service_tier: 'default', temperature: 0.2 });
    expect(completed).toMatchObject({ ...REPEATED, service_tier: 'flex', temperature: 0.5, id: created?.id });
  });

  test('but does not claim to be stored', () => {
    expect(responsesIn(ASKED).map(({ store }) => store)).toEqual([false, false, false]);
  });

  test('with every member of a function tool named, and other tools as they came', () => {
    const search = { type: 'web_search', search_context_size: 'low' };
    const named = { type: 'function', name: 'see', description: 'Sees.', parameters: { type: 'object' }, strict: true };
    const [response] = responsesIn({ ...ASKED, tools: [{ type: 'function', name: 'look' }, named, search] });
    const told = { type: 'function', name: 'look', description: null, parameters: null, strict: null };
    expect(response?.tools).toEqual([told, named, search]);
  });

  test("without the tools that the gateway put beside the client's own", () => {
    const tools = [
      { type: 'function', name: 'look' },
      { type: 'function', name: 'files-read' },
    ];
    const origin: Origin = { codec: 'openai-responses', block: { tools, service_tier: 'flex' } };
    for (const response of responsesIn(ASKED, origin)) {
      expect(response).toMatchObject({ tools: REPEATED.tools, service_tier: 'flex' });
    }
    expect(responsesIn({ model: 'm', input: 'x' }, origin).at(-1)?.tools).toEqual([]);
  });
});
