import { describe, expect, test } from 'vitest';
import { AnswerAccount } from '../../src/codecs/foreign-answer.ts';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { type ChatResponse, eventsOf } from '../../src/model/response.ts';

// Odd but legal answers, after the reference of each API: what every client is still told of them, and what the ledger is.

const usage = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };
const chat = (message: JsonObject, finish_reason: string, more: JsonObject = {}): JsonObject => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: null, refusal: null, ...message },
      finish_reason,
      logprobs: null,
    },
  ],
  usage,
  ...more,
});
const claude = (content: JsonObject[], stop_reason: string, more: JsonObject = {}): JsonObject => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  stop_reason,
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 20 },
  ...more,
});
const gemini = (parts: JsonObject[], finishReason: string, more: JsonObject = {}): JsonObject => ({
  candidates: [{ content: { role: 'model', parts }, finishReason, index: 0 }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 20, totalTokenCount: 30 },
  responseId: 'r1',
  modelVersion: 'm',
  ...more,
});
const responses = (output: JsonObject[], more: JsonObject = {}): JsonObject => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'm',
  output,
  usage: { input_tokens: 10, output_tokens: 20, total_tokens: 30 },
  ...more,
});

interface Expected {
  /** Texts that stand in every client's answer. */
  readonly says: readonly string[];
  readonly kind: ChatResponse['reason']['kind'];
  /** Of entries that the ledger of a client of another format must have. */
  readonly ledger?: RegExp;
}

const CASES: readonly [what: string, from: CodecId, answer: JsonObject, expected: Expected][] = [
  ['a refusal', 'openai-chat', chat({ refusal: 'I will not' }, 'stop'), { says: ['I will not'], kind: 'refusal' }],
  [
    'several choices',
    'openai-chat',
    {
      ...chat({ content: 'the first' }, 'stop'),
      choices: ['the first', 'the second'].map((content, index) => ({
        index,
        message: { role: 'assistant', content, refusal: null },
        finish_reason: 'stop',
        logprobs: null,
      })),
    },
    // no other format can ask for more than one
    { says: ['the first'], kind: 'stop' },
  ],
  [
    'probabilities and a tier',
    'openai-chat',
    {
      ...chat({}, 'stop', { service_tier: 'flex', system_fingerprint: 'fp' }),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'yes', refusal: null },
          finish_reason: 'stop',
          logprobs: { content: [{ token: 'yes', logprob: -0.1, bytes: null, top_logprobs: [] }], refusal: null },
        },
      ],
    },
    { says: ['yes'], kind: 'stop', ledger: /logprobs|service_tier|system_fingerprint/ },
  ],
  [
    'sound',
    'openai-chat',
    chat({ audio: { id: 'audio_1', data: 'UklGRg==', transcript: 'spoken words', expires_at: 1 } }, 'stop'),
    { says: [], kind: 'stop', ledger: /answer/ },
  ],
  [
    'what a filter ended',
    'openai-chat',
    chat({ content: 'up to here' }, 'content_filter'),
    { says: ['up to here'], kind: 'refusal' },
  ],
  [
    'thinking, hidden thinking and a stop sequence',
    'anthropic-messages',
    claude(
      [
        { type: 'thinking', thinking: 'so I thought', signature: 'c2ln' },
        { type: 'redacted_thinking', data: 'cmVk' },
        { type: 'text', text: 'so I say' },
      ],
      'stop_sequence',
      { stop_sequence: 'END' },
    ),
    { says: ['so I thought', 'so I say'], kind: 'stop-sequence' },
  ],
  [
    'calls with text between',
    'anthropic-messages',
    claude(
      [
        { type: 'text', text: 'first ' },
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: { place: 'harbour' } },
        { type: 'text', text: 'then ' },
        { type: 'tool_use', id: 'toolu_2', name: 'look', input: {} },
      ],
      'tool_use',
    ),
    { says: ['first', 'then', 'harbour'], kind: 'tool-calls' },
  ],
  ['an answer without content', 'anthropic-messages', claude([], 'end_turn'), { says: [], kind: 'stop' }],
  [
    'a pause',
    'anthropic-messages',
    claude([{ type: 'text', text: 'wait' }], 'pause_turn'),
    { says: ['wait'], kind: 'pause' },
  ],
  [
    'a refusal of Claude’s',
    'anthropic-messages',
    claude([{ type: 'text', text: 'no, ' }], 'refusal'),
    { says: ['no, '], kind: 'refusal' },
  ],
  [
    'a full context',
    'anthropic-messages',
    claude([{ type: 'text', text: 'too much' }], 'model_context_window_exceeded'),
    { says: ['too much'], kind: 'context-exceeded' },
  ],
  [
    'thoughts, code and a picture',
    'gemini',
    gemini(
      [
        { text: 'so I thought', thought: true },
        { executableCode: { language: 'PYTHON', code: 'print(1)' } },
        { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
        { text: 'so I say' },
      ],
      'STOP',
    ),
    { says: ['so I thought', 'so I say'], kind: 'stop', ledger: /content/ },
  ],
  [
    'several candidates, rated',
    'gemini',
    {
      ...gemini([{ text: 'the first' }], 'STOP'),
      candidates: ['the first', 'the second'].map((text, index) => ({
        content: { role: 'model', parts: [{ text }] },
        finishReason: 'STOP',
        index,
        safetyRatings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' }],
      })),
    },
    { says: ['the first'], kind: 'stop', ledger: /candidates/ },
  ],
  [
    'a blocked prompt',
    'gemini',
    { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 } },
    { says: [], kind: 'refusal' },
  ],
  [
    'what safety ended',
    'gemini',
    gemini([{ text: 'up to here' }], 'SAFETY'),
    { says: ['up to here'], kind: 'refusal' },
  ],
  [
    'a refusal among the output',
    'openai-responses',
    responses([
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'refusal', refusal: 'I will not' }],
      },
    ]),
    { says: ['I will not'], kind: 'refusal' },
  ],
  [
    'a summary, sealed reasoning and a call',
    'openai-responses',
    responses([
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'so I thought' }],
        encrypted_content: 'c2VhbA==',
      },
      {
        type: 'function_call',
        id: 'fc_1',
        call_id: 'call_1',
        name: 'look',
        arguments: '{"place":"harbour"}',
        status: 'completed',
      },
    ]),
    { says: ['so I thought', 'harbour'], kind: 'tool-calls' },
  ],
  [
    'an incomplete answer',
    'openai-responses',
    responses(
      [
        {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          status: 'incomplete',
          content: [{ type: 'output_text', text: 'up to here', annotations: [] }],
        },
      ],
      { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
    ),
    { says: ['up to here'], kind: 'length' },
  ],
];

const CLIENTS = (Object.keys(codecs) as CodecId[]).flatMap((client) =>
  CASES.filter(([, from]) => from !== client).map(([what, from, answer, expected]) => ({
    what,
    from,
    answer,
    expected,
    client,
  })),
);

describe('odd but legal answers', () => {
  test.each(CLIENTS)('$what of $from, to a client of $client', ({ from, answer, expected, client }) => {
    const response = codecs[from].decodeResponse(answer, { foreign: true, callId: 'c' });
    expect(response.reason.kind).toBe(expected.kind);
    const whole = JSON.stringify(codecs[client].encodeResponse(response, { model: 'm', asked: { body: {} } }));
    const encode = codecs[client].encodeStream({ model: 'm', createdAtMs: 1, asked: { body: {} } });
    const streamed = eventsOf(response).map(encode).join('');
    for (const said of expected.says) {
      expect(whole).toContain(said);
      expect(streamed).toContain(said);
    }
    const account = new AnswerAccount(client);
    for (const event of eventsOf(response)) account.see(event);
    if (expected.ledger) {
      const fields = account.losses.map(({ field }) => field).join(' ');
      expect(fields).toMatch(expected.ledger);
    }
  });
});
