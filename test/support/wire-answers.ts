import { amazonFrame } from '../../src/codecs/amazon-frames.ts';
import type { CodecId } from '../../src/model/content.ts';

/** What a provider of one wire format says, ready to be sent. */
export interface WireAnswers {
  readonly format: CodecId;
  /** The word "fine", whole. */
  readonly whole: object;
  /** The same as a stream, a piece for each event. */
  readonly stream: readonly Buffer[];
  /** The beginning of a stream up to the words "half an". */
  readonly opening: readonly Buffer[];
  /** An error event in the middle of a stream. */
  readonly failure: (message: string) => Buffer;
  /** The body of an error answer. */
  readonly refusal: (message: string) => object;
  readonly streamType: string;
}

const EVENTS = 'text/event-stream';

const event = (data: object): Buffer => {
  const name = 'type' in data ? `event: ${String(data.type)}\n` : '';
  return Buffer.from(`${name}data: ${JSON.stringify(data)}\n\n`);
};

const chatChunk = (delta: object, finish: string | null = null): Buffer =>
  event({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

const chat: WireAnswers = {
  format: 'openai-chat',
  whole: {
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
  },
  stream: [
    chatChunk({ role: 'assistant', content: '' }),
    chatChunk({ content: 'fi' }),
    chatChunk({ content: 'ne' }),
    chatChunk({}, 'stop'),
    Buffer.from('data: [DONE]\n\n'),
  ],
  opening: [chatChunk({ role: 'assistant', content: '' }), chatChunk({ content: 'half an' })],
  failure: (message) => event({ error: { message, type: 'server_error', code: null } }),
  refusal: (message) => ({ error: { message, type: 'server_error', code: null } }),
  streamType: EVENTS,
};

const message = (text: string | undefined) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: text === undefined ? [] : [{ type: 'text', text }],
  stop_reason: text === undefined ? null : 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 2 },
});

const messagesOpening = (text: string): Buffer[] => [
  event({ type: 'message_start', message: message(undefined) }),
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
];

const messages: WireAnswers = {
  format: 'anthropic-messages',
  whole: message('fine'),
  stream: [
    ...messagesOpening('fi'),
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ne' } }),
    event({ type: 'content_block_stop', index: 0 }),
    event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }),
    event({ type: 'message_stop' }),
  ],
  opening: messagesOpening('half an'),
  failure: (words) => event({ type: 'error', error: { type: 'api_error', message: words } }),
  refusal: (words) => ({ type: 'error', error: { type: 'api_error', message: words } }),
  streamType: EVENTS,
};

const outputMessage = (text: string) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});

const answered = (status: string, output: readonly object[] = []) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status,
  model: 'm',
  output,
  error: null,
  incomplete_details: null,
  usage: status === 'completed' ? { input_tokens: 10, output_tokens: 2, total_tokens: 12 } : null,
});

const at = { output_index: 0, content_index: 0, item_id: 'msg_1' };
const delta = (text: string): Buffer => event({ type: 'response.output_text.delta', ...at, delta: text });

const responsesOpening: readonly Buffer[] = [
  event({ type: 'response.created', response: answered('in_progress') }),
  event({
    type: 'response.output_item.added',
    output_index: 0,
    item: { ...outputMessage(''), status: 'in_progress', content: [] },
  }),
  event({ type: 'response.content_part.added', ...at, part: { type: 'output_text', text: '', annotations: [] } }),
];

const responses: WireAnswers = {
  format: 'openai-responses',
  whole: answered('completed', [outputMessage('fine')]),
  stream: [
    ...responsesOpening,
    delta('fi'),
    delta('ne'),
    event({ type: 'response.output_text.done', ...at, text: 'fine' }),
    event({
      type: 'response.content_part.done',
      ...at,
      part: { type: 'output_text', text: 'fine', annotations: [] },
    }),
    event({ type: 'response.output_item.done', output_index: 0, item: outputMessage('fine') }),
    event({ type: 'response.completed', response: answered('completed', [outputMessage('fine')]) }),
  ],
  opening: [...responsesOpening, delta('half an')],
  failure: (words) => event({ type: 'error', code: 'server_error', message: words, param: null }),
  refusal: (words) => ({ error: { message: words, type: 'server_error', code: null } }),
  streamType: EVENTS,
};

const candidate = (text: string, finish?: string) => ({
  candidates: [
    { index: 0, content: { role: 'model', parts: [{ text }] }, ...(finish !== undefined && { finishReason: finish }) },
  ],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 },
  modelVersion: 'm',
  responseId: 'r1',
});

const gemini: WireAnswers = {
  format: 'gemini',
  whole: candidate('fine', 'STOP'),
  stream: [event(candidate('fi')), event(candidate('ne', 'STOP'))],
  opening: [event(candidate('half an'))],
  failure: (words) => event({ error: { code: 500, message: words, status: 'INTERNAL' } }),
  refusal: (words) => ({ error: { code: 500, message: words, status: 'INTERNAL' } }),
  streamType: EVENTS,
};

const frame = (type: string, payload: object): Buffer =>
  amazonFrame(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    JSON.stringify(payload),
  );

const textFrame = (text: string): Buffer => frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text } });
const TOKENS = { inputTokens: 10, outputTokens: 2, totalTokens: 12 };

const converse: WireAnswers = {
  format: 'bedrock-converse',
  whole: {
    output: { message: { role: 'assistant', content: [{ text: 'fine' }] } },
    stopReason: 'end_turn',
    usage: TOKENS,
    metrics: { latencyMs: 1 },
  },
  stream: [
    frame('messageStart', { role: 'assistant' }),
    textFrame('fi'),
    textFrame('ne'),
    frame('contentBlockStop', { contentBlockIndex: 0 }),
    frame('messageStop', { stopReason: 'end_turn' }),
    frame('metadata', { usage: TOKENS, metrics: { latencyMs: 1 } }),
  ],
  opening: [frame('messageStart', { role: 'assistant' }), textFrame('half an')],
  failure: (words) =>
    amazonFrame(
      {
        ':exception-type': 'modelStreamErrorException',
        ':content-type': 'application/json',
        ':message-type': 'exception',
      },
      JSON.stringify({ message: words }),
    ),
  refusal: (words) => ({ __type: 'InternalServerException', message: words }),
  streamType: 'application/vnd.amazon.eventstream',
};

export const wireAnswers: readonly WireAnswers[] = [chat, messages, responses, gemini, converse];
