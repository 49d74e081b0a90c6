import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { openaiChat } from '../../../src/codecs/openai-chat/index.ts';
import type { Part } from '../../../src/model/content.ts';
import type { FinishReason } from '../../../src/model/event.ts';
import type { JsonObject, JsonValue } from '../../../src/model/json.ts';
import { type ChatResponse, emptyResponse, eventsOf, foldAll } from '../../../src/model/response.ts';
import { chunk, sseOf, streamed } from './answers.ts';
import { fixture } from './fixtures.ts';

const HEAD = { model: 'openai/gpt-4o', createdAtMs: 1_764_000_000_500, id: 'request-1' };

const answer = (parts: Part[], reason: FinishReason = { kind: 'stop' }): ChatResponse => ({
  ...emptyResponse(),
  id: 'msg_1',
  model: 'claude',
  parts,
  reason,
  usage: { input: 30, output: 8, cacheRead: 20, cacheWrite: 5, reasoning: 3 },
});

const text = (words: string): Part => ({ type: 'text', text: words });
const call = (id: string, owner?: 'gateway'): Part => ({
  type: 'tool-call',
  id,
  name: 'f',
  input: '{"x":1}',
  ...(owner && { owner }),
});

/** The chunks that a client gets, without the final `[DONE]`. */
function chunksOf(response: ChatResponse): JsonObject[] {
  const sse = eventsOf(response).map(openaiChat.encodeStream(HEAD)).join('');
  expect(sse.endsWith('data: [DONE]\n\n')).toBe(true);
  return sse
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)));
}

const deltasOf = (response: ChatResponse): unknown[] =>
  chunksOf(response).flatMap(({ choices }) => (Array.isArray(choices) ? choices.map(deltaIn) : []));

const deltaIn = (choice: JsonValue): unknown => (choice as JsonObject).delta;

describe('a streamed answer to a client', () => {
  test('starts with the role, ends with the finish, then usage without choices, then [DONE]', () => {
    const chunks = chunksOf(answer([text('hi')]));
    const head = {
      id: 'chatcmpl-msg_1',
      object: 'chat.completion.chunk',
      created: 1_764_000_000,
      model: 'openai/gpt-4o',
    };
    expect(chunks).toEqual([
      {
        ...head,
        choices: [
          { index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null },
        ],
      },
      { ...head, choices: [{ index: 0, delta: { content: 'hi' }, logprobs: null, finish_reason: null }] },
      { ...head, choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] },
      {
        ...head,
        choices: [],
        usage: {
          prompt_tokens: 30,
          completion_tokens: 8,
          total_tokens: 38,
          prompt_tokens_details: { cached_tokens: 20, cache_write_tokens: 5 },
          completion_tokens_details: { reasoning_tokens: 3 },
        },
      },
    ]);
  });

  test('C4 id, type and name stand in the first chunk of a call only', () => {
    expect(deltasOf(answer([call('a'), call('b')], { kind: 'tool-calls' })).slice(1, 5)).toEqual([
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"x":1}' } }] },
      { tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 1, function: { arguments: '{"x":1}' } }] },
    ]);
  });

  test('a call without arguments gets {}', () => {
    const bare: Part = { type: 'tool-call', id: 'a', name: 'f', input: '' };
    expect(deltasOf(answer([bare]))).toContainEqual({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] });
  });

  test('what the gateway ran is not shown, and leaves no hole in the numbering', () => {
    const result: Part = { type: 'tool-result', callId: 'a', content: [text('r')], isError: false, owner: 'gateway' };
    const response = answer([text('x'), call('a', 'gateway'), result, call('b')], { kind: 'tool-calls' });
    const deltas = JSON.stringify(deltasOf(response));
    expect(deltas).not.toContain('"a"');
    expect(deltas).toContain('{"index":0,"id":"b"');
    expect(chunksOf(response).at(-2)).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
    expect(chunksOf(answer([call('a', 'gateway'), text('x')], { kind: 'tool-calls' })).at(-2)).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
    });
  });

  test('thinking is told under both names, its signature at the end', () => {
    const block = { type: 'thinking', thinking: 'hm', signature: 's' };
    const thought: Part = { type: 'reasoning', text: 'hm', origin: { codec: 'anthropic-messages', block } };
    expect(deltasOf(answer([thought])).slice(1, 3)).toEqual([
      { reasoning_content: 'hm', reasoning: 'hm' },
      {
        reasoning_details: [
          { type: 'reasoning.text', text: 'hm', signature: 's', format: 'anthropic-claude-v1', index: 0 },
        ],
      },
    ]);
  });

  test('an error ends the stream in a way on which the SDK throws', async () => {
    const error = openaiChat.decodeError(529, '{"error":{"message":"busy"}}', {});
    const sse = `${sseOf(chunk({ content: 'x' })).replace('data: [DONE]\n\n', '')}${openaiChat.encodeStreamError(error)}`;
    const response = async () => new Response(sse, { headers: { 'content-type': 'text/event-stream' } });
    const client = new OpenAI({ apiKey: 'none', maxRetries: 0, fetch: response });
    const reading = client.chat.completions.stream({ model: 'm', messages: [] }).finalChatCompletion();
    await expect(reading).rejects.toThrow('busy');
  });

  test('keep-alives are comments, which no SDK sees', () => {
    const [first = '', ...rest] = fixture('parallel-calls.sse').split('\n\n');
    const spaced = [first, ...rest].join(`\n\n${openaiChat.keepAlive}`);
    expect(streamed(spaced)).toEqual(streamed(fixture('parallel-calls.sse')));
  });
});

describe('a whole answer to a client', () => {
  const encoded = (response: ChatResponse): JsonObject => openaiChat.encodeResponse(response, HEAD);

  test('E8 has every field that strict clients require', () => {
    expect(encoded(answer([call('a')], { kind: 'tool-calls' }))).toMatchObject({
      id: 'chatcmpl-msg_1',
      object: 'chat.completion',
      created: 1_764_000_000,
      model: 'openai/gpt-4o',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: null,
            refusal: null,
            tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
    });
    expect(encoded(answer([]))).toMatchObject({ choices: [{ message: { content: '' }, finish_reason: 'stop' }] });
  });

  test.each<[FinishReason['kind'], string]>([
    ['stop', 'stop'],
    ['stop-sequence', 'stop'],
    ['length', 'length'],
    ['tool-calls', 'stop'],
    ['refusal', 'content_filter'],
    ['pause', 'stop'],
    ['context-exceeded', 'length'],
    ['other', 'stop'],
  ])('%s without calls is told as %s', (kind, word) => {
    expect(encoded(answer([text('x')], { kind }))).toMatchObject({ choices: [{ finish_reason: word }] });
  });

  test('a call that was cut off is told as cut off', () => {
    expect(encoded(answer([call('a')], { kind: 'length' }))).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  });

  test('fields of an upstream of the same format survive: annotations, logprobs, tier, usage', () => {
    const logprobs = (token: string) => ({ logprobs: { content: [{ token, logprob: -1 }], refusal: null } });
    const part = (token: string): JsonObject => {
      const whole = chunk({ content: token, annotations: [{ type: 'url_citation', title: token }] });
      return {
        ...whole,
        service_tier: 'flex',
        choices: [{ index: 0, delta: { content: token, annotations: [{ title: token }] }, ...logprobs(token) }],
      };
    };
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.5 };
    const sse = sseOf(part('a'), part('b'), chunk({}, 'stop'), {
      choices: [],
      usage,
      citations: ['https://a.example'],
    });
    const expected = {
      service_tier: 'flex',
      created: 1_700_000_000,
      citations: ['https://a.example'],
      usage,
      choices: [
        {
          message: { content: 'ab', annotations: [{ title: 'a' }, { title: 'b' }] },
          logprobs: {
            content: [
              { token: 'a', logprob: -1 },
              { token: 'b', logprob: -1 },
            ],
            refusal: null,
          },
        },
      ],
    };
    expect(encoded(streamed(sse))).toMatchObject(expected);
    const again = foldAll(eventsOf(openaiChat.decodeResponse(encoded(streamed(sse)))));
    expect(encoded(again)).toMatchObject(expected);
  });

  test("usage that no longer is the upstream's own is counted anew", () => {
    const response = streamed(
      sseOf(chunk({ content: 'x' }, 'stop', { usage: { prompt_tokens: 1, completion_tokens: 2 } })),
    );
    const summed = { ...response, usage: { ...response.usage, input: 9 } };
    expect(encoded(summed).usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 });
  });
});
