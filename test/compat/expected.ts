import { createSseReader } from '../../src/codecs/sse.ts';
import type { FinishReason } from '../../src/model/event.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import type { Digest, Recording } from '../support/recordings.ts';
import type { Answer, Call, Counts, Failure, Format, ReadFormat } from './answers.ts';

type Kind = FinishReason['kind'];

/** The format of each recorded API. */
export const FORMAT_OF: Readonly<Record<string, Format>> = {
  'anthropic.messages': 'anthropic-messages',
  'openai.chat': 'openai-chat',
  'openai.responses': 'openai-responses',
  'gemini.generate': 'gemini',
};

export const formatOf = ({ endpoint }: Recording): Format => {
  const format = FORMAT_OF[endpoint];
  if (!format) throw new Error(`no format is known for ${endpoint}`);
  return format;
};

/** What a client of a format must hold in its hands; what is absent cannot be known from the digest. */
export type Expected = Partial<Omit<Answer, 'usage'>> & { readonly usage?: Partial<Counts> };

/** What a client of `format` must make of a recorded answer, out of what the vendor's SDK made of it. */
export function expectedOf(recording: Recording, format: ReadFormat): Expected | Pick<Failure, 'failed' | 'status'> {
  const { digest } = recording;
  if (digest.error) return { failed: true, status: digest.error.status ?? undefined };
  const isSame = format === formatOf(recording);
  if (digest.finish === 'failed' && !isSame) return { failed: true, status: undefined };
  const { text = '', refusal = '', thinking = '' } = digest;
  const tellsApart = format === 'openai-chat' || format === 'openai-responses';
  const calls = callsOf(recording, isSame);
  return {
    text: tellsApart ? text : text + refusal,
    refusal: tellsApart ? refusal : '',
    reasoning: thinking,
    ...(calls && { calls }),
    finish: isSame ? ownFinish(digest) : finishFor(recording, format),
    ...(digest.usage?.input !== undefined && { usage: countsOf(recording, format) }),
  };
}

/** Calls without an id of the vendor's are given one, unless the vendor's bytes travel as they are. */
function callsOf(recording: Recording, isSame: boolean): Call[] | undefined {
  const { digest } = recording;
  const missing = isSame ? '' : ANY_ID;
  const listed = digest.toolCalls?.map(({ id, name, arguments: input }) => ({
    id: id ?? missing,
    name,
    arguments: input ?? {},
  }));
  return listed && !isSame ? [...listed, ...unlistedCalls(recording)] : listed;
}

/** Calls that digests leave out: of custom tools, whose free text is the argument `input`, and the legacy one. */
function unlistedCalls({ response, digest }: Recording): Call[] {
  if (digest.finish === 'function_call') {
    const [choice] = objects(response.body?.choices);
    const { name, arguments: input } = objectOf(objectOf(choice?.message).function_call);
    return [{ id: ANY_ID, name: String(name), arguments: JSON.parse(String(input)) }];
  }
  if (!digest.items?.includes('custom_tool_call')) return [];
  const ended = response.body ?? objectOf(dataOf(response.sse ?? '').at(-1)?.response);
  return objects(ended.output)
    .filter(({ type }) => type === 'custom_tool_call')
    .map(({ call_id, name, input }) => ({ id: String(call_id), name: String(name), arguments: { input } }));
}

/** The data of every event of an SSE text. */
function dataOf(sse: string): JsonObject[] {
  const reader = createSseReader();
  return [...reader.push(Buffer.from(sse)), ...reader.end()].map(({ data }) => JSON.parse(data));
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
const objects = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Stands for whatever id there is. */
export const ANY_ID = '*';

const ownFinish = ({ finish, incomplete, block }: Digest): string =>
  incomplete ? `${finish}: ${incomplete}` : String(finish ?? block ?? null);

const KINDS: Readonly<Record<string, Kind>> = {
  // Messages
  end_turn: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  stop_sequence: 'stop-sequence',
  pause_turn: 'pause',
  refusal: 'refusal',
  model_context_window_exceeded: 'context-exceeded',
  // Chat Completions
  stop: 'stop',
  eos: 'stop',
  '': 'stop',
  null: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'refusal',
  // Gemini
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'refusal',
  OTHER: 'other',
  // Responses
  completed: 'stop',
  complete: 'stop',
  queued: 'other',
  max_output_tokens: 'length',
};

function kindOf(recording: Recording): Kind {
  const { finish, incomplete, block, refusal, toolCalls = [], partialToolCalls } = recording.digest;
  if (block !== undefined) return 'refusal';
  const said = KINDS[incomplete ?? String(finish)] ?? 'other';
  const calls = toolCalls.length > 0 || partialToolCalls || unlistedCalls(recording).length > 0;
  if (said === 'stop' && calls) return 'tool-calls';
  return said === 'stop' && refusal ? 'refusal' : said;
}

/** A refusal told in words is a complete answer in the Responses API. */
const finishFor = (recording: Recording, format: ReadFormat): string =>
  format === 'openai-responses' && recording.digest.refusal ? 'completed' : FINISH_WORDS[format][kindOf(recording)];

export const FINISH_WORDS: Readonly<Record<ReadFormat, Readonly<Record<Kind, string>>>> = {
  'anthropic-messages': {
    stop: 'end_turn',
    'stop-sequence': 'stop_sequence',
    length: 'max_tokens',
    'tool-calls': 'tool_use',
    refusal: 'refusal',
    pause: 'pause_turn',
    'context-exceeded': 'model_context_window_exceeded',
    other: 'end_turn',
  },
  'openai-chat': {
    stop: 'stop',
    'stop-sequence': 'stop',
    length: 'length',
    'tool-calls': 'tool_calls',
    refusal: 'content_filter',
    pause: 'stop',
    'context-exceeded': 'length',
    other: 'stop',
  },
  'openai-responses': {
    stop: 'completed',
    'stop-sequence': 'completed',
    length: 'incomplete: max_output_tokens',
    'tool-calls': 'completed',
    refusal: 'incomplete: content_filter',
    pause: 'completed',
    'context-exceeded': 'incomplete: max_output_tokens',
    other: 'completed',
  },
  'bedrock-converse': {
    stop: 'end_turn',
    'stop-sequence': 'stop_sequence',
    length: 'max_tokens',
    'tool-calls': 'tool_use',
    refusal: 'content_filtered',
    pause: 'end_turn',
    'context-exceeded': 'model_context_window_exceeded',
    other: 'end_turn',
  },
  gemini: {
    stop: 'STOP',
    'stop-sequence': 'STOP',
    length: 'MAX_TOKENS',
    'tool-calls': 'STOP',
    refusal: 'SAFETY',
    pause: 'STOP',
    'context-exceeded': 'MAX_TOKENS',
    other: 'OTHER',
  },
};

/** The digest's counts, which follow their vendor, as inclusive ones; only those for which the format has a place. */
function countsOf(recording: Recording, format: ReadFormat): Partial<Counts> {
  const { input = 0, output = 0, cacheRead = 0, cacheWrite = 0, reasoning, total } = recording.digest.usage ?? {};
  const origin = formatOf(recording);
  // Gemini's output leaves thinking out, and so does xAI's: its total says so
  const apart = origin === 'gemini' || (origin !== format && total === input + output + (reasoning ?? 0));
  const inclusive = {
    input: origin === 'anthropic-messages' ? input + cacheRead + cacheWrite : input,
    output: apart ? output + (reasoning ?? 0) : output,
    cacheRead,
  };
  const hasNoPlace = format === 'anthropic-messages' || format === 'bedrock-converse';
  return hasNoPlace || reasoning === undefined ? inclusive : { ...inclusive, reasoning };
}
