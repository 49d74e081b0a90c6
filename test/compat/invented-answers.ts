import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';

/** A stream as some provider might write it, and what it says. */
export interface InventedAnswer {
  readonly what: string;
  readonly provider: CodecId;
  readonly chunks: readonly JsonObject[];
  readonly text: string;
  readonly reasoning?: string;
  readonly calls?: readonly (readonly [name: string, input: JsonValue])[];
}

const chat = (...deltas: JsonObject[]): JsonObject[] =>
  deltas.map(({ finish_reason = null, ...delta }) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
  }));
const chatUsage: JsonObject = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [],
  usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
};
const fragment = (index: number, input: string, name?: string, id?: string): JsonObject => ({
  tool_calls: [{ index, ...(id && { id, type: 'function' }), function: { ...(name && { name }), arguments: input } }],
});
const letters = (index: number, text: string): JsonObject[] => [...text].map((letter) => fragment(index, letter));

const CHATS: readonly Omit<InventedAnswer, 'provider'>[] = [
  {
    what: 'two calls whose arguments come letter by letter and by turns',
    chunks: [
      ...chat({ role: 'assistant', content: null }, { reasoning_content: 'hm ' }, { reasoning_content: 'ok' }),
      ...chat({ content: 'Let me ' }, { content: 'look. é😀' }, fragment(0, '', 'look', 'call_a')),
      ...chat(...letters(0, '{"at":'), fragment(1, '', 'seek', 'call_b'), ...letters(1, '{"q":"ü😀"')),
      ...chat(...letters(0, ' [1, {"b":2}]}'), ...letters(1, '}'), { finish_reason: 'tool_calls' }),
      chatUsage,
    ],
    text: 'Let me look. é😀',
    reasoning: 'hm ok',
    calls: [
      ['look', { at: [1, { b: 2 }] }],
      ['seek', { q: 'ü😀' }],
    ],
  },
  {
    what: 'thinking between texts and behind calls',
    chunks: [
      ...chat({ reasoning: 'a' }, { content: 'x' }, { reasoning: 'b' }, { content: 'y' }),
      ...chat(fragment(0, '{"a":1}', 'look', 'call_a'), { reasoning: 'c' }, fragment(1, '{}', 'look', 'call_b')),
      ...chat({ content: 'z', finish_reason: 'tool_calls' }),
      chatUsage,
    ],
    text: 'xyz',
    reasoning: 'abc',
    calls: [
      ['look', { a: 1 }],
      ['look', {}],
    ],
  },
  {
    what: 'text, the end and the counts in one chunk',
    chunks: [{ ...chatUsage, choices: [{ index: 0, delta: { content: 'all' }, finish_reason: 'stop' }] }],
    text: 'all',
  },
  {
    what: 'counts before the end, and with each chunk',
    chunks: [
      {
        ...chatUsage,
        choices: [{ index: 0, delta: { content: 'so ' } }],
        usage: { prompt_tokens: 11, completion_tokens: 1 },
      },
      { ...chatUsage, choices: [{ index: 0, delta: { content: 'it is' } }] },
      ...chat({ finish_reason: 'stop' }),
    ],
    text: 'so it is',
  },
  {
    what: 'no choices but null behind the end',
    chunks: [...chat({ content: 'x' }, { finish_reason: 'stop' }), { ...chatUsage, choices: null }],
    text: 'x',
  },
  {
    what: 'a call without arguments, in each way to say so',
    chunks: [
      ...chat(fragment(0, '', 'none', 'call_a'), fragment(1, '{}', 'braces', 'call_b')),
      ...chat({ tool_calls: [{ index: 2, id: 'call_c', type: 'function', function: { name: 'null' } }] }),
      ...chat({
        tool_calls: [{ index: 3, id: 'call_d', type: 'function', function: { name: 'nulls', arguments: null } }],
      }),
      ...chat({
        tool_calls: [{ index: 4, id: 'call_e', type: 'function', function: { name: 'word', arguments: 'null' } }],
      }),
      ...chat({ finish_reason: 'tool_calls' }),
      chatUsage,
    ],
    text: '',
    calls: [
      ['none', {}],
      ['braces', {}],
      ['null', {}],
      ['nulls', {}],
      ['word', {}],
    ],
  },
  {
    what: 'a refusal',
    chunks: [...chat({ refusal: 'I ' }, { refusal: 'cannot.' }, { finish_reason: 'stop' }), chatUsage],
    text: 'I cannot.',
  },
  {
    what: 'content in parts',
    chunks: [
      ...chat({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }),
      ...chat({ content: [{ type: 'text', text: 'one ' }] }, { content: [{ type: 'text', text: 'two' }] }),
      ...chat({ content: '', finish_reason: 'stop' }),
      chatUsage,
    ],
    text: 'one two',
    reasoning: 'hm',
  },
];

const parts = (...given: JsonObject[]): JsonObject => ({
  candidates: [{ content: { role: 'model', parts: given }, index: 0 }],
  modelVersion: 'm',
  responseId: 'r1',
});
const geminiUsage = { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 };
const stopped: JsonObject = { candidates: [{ finishReason: 'STOP', index: 0 }], modelVersion: 'm', responseId: 'r1' };

const GEMINIS: readonly Omit<InventedAnswer, 'provider'>[] = [
  {
    what: 'thinking, texts and calls by turns, the end and the counts in chunks of their own',
    chunks: [
      parts({ text: 'a', thought: true }),
      parts({ text: 'x' }, { functionCall: { name: 'look', args: { a: 1 } }, thoughtSignature: 'c2ln' }),
      parts({ text: 'b', thought: true }, { text: 'y ' }, { text: 'z' }),
      parts({ functionCall: { name: 'look' } }, { functionCall: { name: 'seek', args: { q: 'ü😀' } } }),
      stopped,
      { usageMetadata: geminiUsage },
    ],
    text: 'xy z',
    reasoning: 'ab',
    calls: [
      ['look', { a: 1 }],
      ['look', {}],
      ['seek', { q: 'ü😀' }],
    ],
  },
  {
    what: 'counts ahead of the text and null at the end',
    chunks: [
      { usageMetadata: geminiUsage, modelVersion: 'm', responseId: 'r1' },
      parts({ text: 'so ' }),
      parts({ text: 'it is' }),
      { ...stopped, usageMetadata: null },
      { candidates: [{ content: null, finishReason: null, index: 0 }] },
    ],
    text: 'so it is',
  },
  {
    what: 'null in place of lists',
    chunks: [
      { candidates: null, usageMetadata: geminiUsage, responseId: 'r1' },
      { candidates: [{ content: { parts: null, role: 'model' } }] },
      parts({ text: 'x', thought: null, functionCall: null }),
      stopped,
    ],
    text: 'x',
  },
];

const block = (index: number, start: JsonObject, ...deltas: JsonObject[]): JsonObject[] => [
  { type: 'content_block_start', index, content_block: start },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
const text = (words: string): JsonObject => ({ type: 'text_delta', text: words });
const json = (partial_json: string): JsonObject => ({ type: 'input_json_delta', partial_json });
const tool = (id: string, name: string, input: JsonObject = {}): JsonObject => ({ type: 'tool_use', id, name, input });
const opened: JsonObject = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    usage: { input_tokens: 11, output_tokens: 1 },
  },
};
const closed = (stop_reason: string): JsonObject[] => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 7 } },
  { type: 'message_stop' },
];

const MESSAGES: readonly Omit<InventedAnswer, 'provider'>[] = [
  {
    what: 'thinking between tools, arguments letter by letter or whole, empty deltas',
    chunks: [
      opened,
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'a' },
        { type: 'signature_delta', signature: 's' },
      ),
      ...block(1, { type: 'text', text: '' }, text(''), text('x '), text(''), text('é😀')),
      ...block(2, tool('toolu_1', 'look'), json(''), ...[...'{"at":[1,{"b":2}]}'].map(json)),
      ...block(3, { type: 'thinking', thinking: 'b', signature: 's2' }),
      ...block(4, { type: 'redacted_thinking', data: 'xx' }),
      ...block(5, { type: 'text', text: 'begun ' }, text('grown')),
      ...block(6, tool('toolu_2', 'seek', { q: 'ü' })),
      ...block(7, tool('toolu_3', 'none')),
      ...closed('tool_use'),
    ],
    text: 'x é😀begun grown',
    reasoning: 'ab',
    calls: [
      ['look', { at: [1, { b: 2 }] }],
      ['seek', { q: 'ü' }],
      ['none', {}],
    ],
  },
  {
    what: 'blocks that grow by turns',
    chunks: [
      opened,
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_start', index: 1, content_block: tool('toolu_1', 'look') },
      { type: 'content_block_delta', index: 0, delta: text('one ') },
      { type: 'content_block_delta', index: 1, delta: json('{"a"') },
      { type: 'content_block_delta', index: 0, delta: text('two') },
      { type: 'content_block_delta', index: 1, delta: json(':1}') },
      { type: 'content_block_stop', index: 1 },
      { type: 'content_block_stop', index: 0 },
      ...closed('tool_use'),
    ],
    text: 'one two',
    calls: [['look', { a: 1 }]],
  },
  {
    what: 'a refusal',
    chunks: [opened, ...block(0, { type: 'text', text: '' }, text('I cannot.')), ...closed('refusal')],
    text: 'I cannot.',
  },
];

const item = (output_index: number, given: JsonObject, when: 'added' | 'done'): JsonObject => ({
  type: `response.output_item.${when}`,
  output_index,
  item: given,
});
const message = (id: string, ...content: JsonObject[]): JsonObject => ({
  type: 'message',
  id,
  role: 'assistant',
  content,
});
const call = (id: string, name: string, input: string): JsonObject => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: input,
});
const said = (words: string): JsonObject => ({ type: 'output_text', text: words, annotations: [] });
const delta = (
  kind: string,
  item_id: string,
  output_index: number,
  words: string,
  at: JsonObject = {},
): JsonObject => ({
  type: `response.${kind}.delta`,
  item_id,
  output_index,
  delta: words,
  ...at,
});
const begun: JsonObject = {
  type: 'response.created',
  response: { id: 'resp_1', object: 'response', created_at: 1, status: 'in_progress', model: 'm', output: [] },
};
const done = (...output: JsonObject[]): JsonObject => ({
  type: 'response.completed',
  response: {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'm',
    output,
    usage: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
  },
});
const thought = (...texts: string[]): JsonObject => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: texts.map((one) => ({ type: 'summary_text', text: one })),
});

const RESPONSES: readonly Omit<InventedAnswer, 'provider'>[] = [
  {
    what: 'calls that grow by turns, behind a message of two texts',
    chunks: [
      begun,
      item(0, thought(), 'added'),
      delta('reasoning_summary_text', 'rs_1', 0, 'hm ', { summary_index: 0 }),
      delta('reasoning_summary_text', 'rs_1', 0, 'ok', { summary_index: 0 }),
      item(0, thought('hm ok'), 'done'),
      item(1, message('msg_1'), 'added'),
      delta('output_text', 'msg_1', 1, 'one ', { content_index: 0 }),
      delta('output_text', 'msg_1', 1, 'é😀', { content_index: 1 }),
      item(1, message('msg_1', said('one '), said('é😀')), 'done'),
      item(2, call('call_a', 'look', ''), 'added'),
      item(3, call('call_b', 'seek', ''), 'added'),
      delta('function_call_arguments', 'fc_call_a', 2, '{"at":'),
      delta('function_call_arguments', 'fc_call_b', 3, '{"q":'),
      delta('function_call_arguments', 'fc_call_a', 2, '1}'),
      delta('function_call_arguments', 'fc_call_b', 3, '"ü"}'),
      item(3, call('call_b', 'seek', '{"q":"ü"}'), 'done'),
      item(2, call('call_a', 'look', '{"at":1}'), 'done'),
      done(
        thought('hm ok'),
        message('msg_1', said('one '), said('é😀')),
        call('call_a', 'look', '{"at":1}'),
        call('call_b', 'seek', '{"q":"ü"}'),
      ),
    ],
    text: 'one é😀',
    reasoning: 'hm ok',
    calls: [
      ['look', { at: 1 }],
      ['seek', { q: 'ü' }],
    ],
  },
  {
    what: 'items that come whole',
    chunks: [
      begun,
      item(0, message('msg_1', said('all ')), 'added'),
      item(0, message('msg_1', said('all ')), 'done'),
      item(1, call('call_a', 'look', '{"a":1}'), 'added'),
      item(1, call('call_a', 'look', '{"a":1}'), 'done'),
      item(2, message('msg_2', said('of it')), 'done'),
      done(message('msg_1', said('all ')), call('call_a', 'look', '{"a":1}'), message('msg_2', said('of it'))),
    ],
    text: 'all of it',
    calls: [['look', { a: 1 }]],
  },
  {
    what: 'nothing but the last event',
    chunks: [begun, done(thought('hm'), message('msg_1', said('all')), call('call_a', 'none', ''))],
    text: 'all',
    reasoning: 'hm',
    calls: [['none', {}]],
  },
  {
    what: 'a refusal',
    chunks: [
      begun,
      item(0, message('msg_1'), 'added'),
      delta('refusal', 'msg_1', 0, 'I ', { content_index: 0 }),
      delta('refusal', 'msg_1', 0, 'cannot.', { content_index: 0 }),
      item(0, message('msg_1', { type: 'refusal', refusal: 'I cannot.' }), 'done'),
      done(message('msg_1', { type: 'refusal', refusal: 'I cannot.' })),
    ],
    text: 'I cannot.',
  },
];

export const INVENTED: readonly InventedAnswer[] = [
  ...CHATS.map((one) => ({ ...one, provider: 'openai-chat' as const })),
  ...GEMINIS.map((one) => ({ ...one, provider: 'gemini' as const })),
  ...MESSAGES.map((one) => ({ ...one, provider: 'anthropic-messages' as const })),
  ...RESPONSES.map((one) => ({ ...one, provider: 'openai-responses' as const })),
];
