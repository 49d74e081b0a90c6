import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { openaiResponses } from '../../../src/codecs/openai-responses/index.ts';
import type { Part } from '../../../src/model/content.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { FinishReason, StreamEvent } from '../../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../src/model/json.ts';
import { requestOf } from '../requests.ts';
import { dataOf, encodedStream } from './support.ts';

const usage = { input: 10, output: 5, cacheRead: 4, cacheWrite: 0, reasoning: 2 };

/** Events of an answer whose parts come whole. */
const answer = (parts: readonly Part[], kind: FinishReason['kind'] = 'stop'): StreamEvent[] => [
  { type: 'response-start', id: 'chatcmpl-1', model: 'upstream' },
  ...parts.flatMap((part, index): StreamEvent[] => [
    { type: 'part-start', index, part },
    { type: 'part-end', index },
  ]),
  { type: 'response-end', reason: { kind }, usage },
];

const last = (events: readonly StreamEvent[]): JsonObject => {
  const response = dataOf(encodedStream(events)).at(-1)?.response;
  return isObject(response) ? response : {};
};
const typesOf = (events: readonly StreamEvent[]): JsonValue[] =>
  dataOf(encodedStream(events)).map(({ type }) => type ?? null);

describe('an answer of another format', () => {
  test('C13 E8 has every field that a response must have', () => {
    expect(last(answer([{ type: 'text', text: 'Hi' }]))).toEqual({
      id: 'resp_chatcmpl-1',
      object: 'response',
      created_at: 5,
      completed_at: null,
      status: 'completed',
      background: false,
      error: null,
      frequency_penalty: 0,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      metadata: {},
      model: 'asked/for',
      output: [
        {
          id: expect.stringMatching(/^msg_\w{48}$/),
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', annotations: [], logprobs: [], text: 'Hi' }],
        },
      ],
      parallel_tool_calls: true,
      presence_penalty: 0,
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: { effort: null, summary: null },
      safety_identifier: null,
      service_tier: 'default',
      store: false,
      temperature: 1,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: 1,
      truncation: 'disabled',
      usage: {
        input_tokens: 10,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 5,
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 15,
      },
      user: null,
    });
  });

  test('C13 thinking, text and a call: every event in its place', () => {
    const events = answer(
      [
        { type: 'reasoning', text: 'Hm' },
        { type: 'text', text: 'I look.' },
        { type: 'tool-call', id: 'call_1', name: 'mcp__demo::echo', input: '' },
      ],
      'tool-calls',
    );
    expect(typesOf(events)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(last(events).output).toMatchObject([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] },
      { type: 'message' },
      { type: 'function_call', call_id: 'call_1', namespace: 'mcp__demo', name: 'echo', arguments: '{}' },
    ]);
  });

  test('neighbouring texts are parts of one message', () => {
    const { output } = last(
      answer([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ]),
    );
    expect(output).toMatchObject([{ content: [{ text: 'a' }, { text: 'b' }] }]);
  });

  test('a custom tool gets its text, whatever form the model gave it', () => {
    const calls = ['{"input":"*** Patch"}', '*** Patch'].map(
      (input, at): Part => ({ type: 'tool-call', id: `c${at}`, name: '::apply_patch', input }),
    );
    const events = answer(calls, 'tool-calls');
    expect(last(events).output).toMatchObject([
      { type: 'custom_tool_call', name: 'apply_patch', input: '*** Patch' },
      { type: 'custom_tool_call', name: 'apply_patch', input: '*** Patch' },
    ]);
    expect(typesOf(events)).toContain('response.custom_tool_call_input.delta');
  });

  test.each<[FinishReason['kind'], string, string | null]>([
    ['stop', 'completed', null],
    ['tool-calls', 'completed', null],
    ['stop-sequence', 'completed', null],
    ['pause', 'completed', null],
    ['other', 'completed', null],
    ['length', 'incomplete', 'max_output_tokens'],
    ['context-exceeded', 'incomplete', 'max_output_tokens'],
    ['refusal', 'incomplete', 'content_filter'],
  ])('an end of kind %s is %s', (kind, status, reason) => {
    const response = last(answer([{ type: 'text', text: 'x' }], kind));
    expect(response).toMatchObject({ status, incomplete_details: reason === null ? null : { reason } });
    expect(typesOf(answer([], kind)).at(-1)).toBe(`response.${status}`);
  });

  test('parts that grow at the same time stay apart', () => {
    const start = (index: number): StreamEvent => ({
      type: 'part-start',
      index,
      part: { type: 'tool-call', id: `c${index}`, name: 'f', input: '' },
    });
    const grow = (index: number, delta: string): StreamEvent => ({ type: 'part-delta', index, delta });
    const events: StreamEvent[] = [start(0), start(1), grow(1, '{"b":'), grow(0, '{"a":1}'), grow(1, '2}')];
    const closed: StreamEvent[] = [
      { type: 'part-end', index: 1 },
      { type: 'part-end', index: 0 },
    ];
    const [first, ...rest] = answer([]);
    const all = [...(first ? [first] : []), ...events, ...closed, ...rest];
    expect(last(all).output).toMatchObject([{ arguments: '{"a":1}' }, { arguments: '{"b":2}' }]);
  });
});

describe('what the gateway ran', () => {
  const turn = { round: 0, mixed: true };
  const ran: Part[] = [
    { type: 'text', text: 'I look.' },
    { type: 'tool-call', id: 'call_1', name: 'files-read', input: '{"path":"a"}', owner: 'gateway', turn },
    { type: 'tool-call', id: 'call_2', name: 'files-stat', input: '', owner: 'gateway', turn },
    {
      type: 'tool-result',
      callId: 'call_1',
      content: [{ type: 'text', text: 'content' }],
      isError: false,
      owner: 'gateway',
      turn,
    },
    {
      type: 'tool-result',
      callId: 'call_2',
      content: [{ type: 'text', text: 'no such file' }],
      isError: true,
      owner: 'gateway',
      turn,
    },
    { type: 'tool-call', id: 'call_3', name: 'shell', input: '{}' },
  ];
  const { output } = last(answer(ran, 'tool-calls'));
  const items = Array.isArray(output) ? output : [];

  test('is shown as MCP calls that nobody else will run', () => {
    expect(items).toMatchObject([
      { type: 'message' },
      {
        type: 'mcp_call',
        id: 'mcp_bf0m_call_1',
        server_label: 'files',
        name: 'read',
        arguments: '{"path":"a"}',
        output: 'content',
        error: null,
        status: 'completed',
      },
      {
        type: 'mcp_call',
        id: 'mcp_bf0m_call_2',
        name: 'stat',
        arguments: '{}',
        output: null,
        error: 'no such file',
        status: 'failed',
      },
      { type: 'function_call', name: 'shell' },
    ]);
    expect(typesOf(answer(ran))).toEqual(
      expect.arrayContaining([
        'response.mcp_call.in_progress',
        'response.mcp_call.completed',
        'response.mcp_call.failed',
      ]),
    );
  });

  test('comes back in the input as the turn that it was', () => {
    const input = [
      { role: 'user', content: 'x' },
      ...items,
      { type: 'function_call_output', call_id: 'call_3', output: 'done' },
    ];
    const request = requestOf(openaiResponses, { model: 'm', input });
    expect(request.messages).toMatchObject([
      { role: 'user' },
      {
        role: 'assistant',
        parts: [
          { type: 'text' },
          { type: 'tool-call', id: 'call_1', name: 'files-read' },
          { type: 'tool-call', id: 'call_2', name: 'files-stat' },
          { type: 'tool-call', id: 'call_3', name: 'shell' },
        ],
      },
      {
        role: 'tool',
        parts: [
          { callId: 'call_1', isError: false },
          { callId: 'call_2', isError: true, content: [{ text: 'no such file' }] },
          { callId: 'call_3' },
        ],
      },
    ]);
    expect(request.raw).toBeUndefined();
    const { body } = openaiResponses.encodeRequest(request, { model: 'm', stream: false });
    expect(JSON.stringify(body)).not.toContain('mcp_');
  });

  test('rounds stay apart', () => {
    const call = (round: number, id: string): JsonObject => ({
      type: 'mcp_call',
      id: `mcp_bf${round}_${id}`,
      server_label: 's',
      name: 't',
      arguments: '{}',
      output: id,
      error: null,
    });
    const answerItem = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'so' }] };
    const input = [call(0, 'a'), call(0, 'b'), call(1, 'c'), answerItem, { role: 'user', content: 'y' }];
    const { messages } = requestOf(openaiResponses, { model: 'm', input });
    expect(messages.map(({ role, parts }) => [role, parts.length])).toEqual([
      ['assistant', 2],
      ['tool', 2],
      ['assistant', 1],
      ['tool', 1],
      ['assistant', 1],
      ['user', 1],
    ]);
  });
});

describe('errors', () => {
  const failing = (body: string, status = 200) =>
    new OpenAI({
      apiKey: 'none',
      maxRetries: 0,
      fetch: async () =>
        new Response(body, {
          status,
          headers: { 'content-type': status === 200 ? 'text/event-stream' : 'application/json' },
        }),
    });
  const question = { model: 'm', input: 'x' };

  test('before the stream are read by the official SDK as its own classes', async () => {
    const { status, body } = openaiResponses.encodeError(new GatewayError('rate-limit', 'slow down'));
    await expect(failing(JSON.stringify(body), status).responses.create(question)).rejects.toThrow(
      OpenAI.RateLimitError,
    );
  });

  test('C9 in the stream are thrown by the official SDK, and told as response.failed to others', async () => {
    const [start] = answer([]);
    const cutStream = encodedStream(start ? [start] : []);
    const error = openaiResponses.encodeStreamError(new GatewayError('network', 'the upstream went away'));
    await expect(
      failing(cutStream + error)
        .responses.stream(question)
        .finalResponse(),
    ).rejects.toThrow('went away');
    const [failed] = dataOf(error);
    expect(failed).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'server_error', message: 'the upstream went away' } },
    });
  });
});
