import type { Codec } from '../codecs/codec.ts';
import { createSseReader } from '../codecs/sse.ts';
import type { CodecId, Message } from '../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { ChatRequest, DecodedRequest, Tool } from '../model/request.ts';
import { type ChatResponse, emptyResponse, fold } from '../model/response.ts';
import type { LogContents, LogFacts } from '../stores/log-store.ts';
import { CANONICAL } from './contents.ts';
import type { ShownContents } from './shown.ts';

export type Codecs = Readonly<Record<CodecId, Codec>>;

const SUMMARY_LENGTH = 200;

/**
 * Contents as somebody reads them. They are stored as they travelled, so that writing costs no decoding; only what
 * is looked at is decoded. What cannot be (cut, or a dialect's error) is left out: the raw texts are there.
 */
export function shownContents(facts: LogFacts, contents: LogContents, codecs: Codecs): ShownContents {
  const { raw_request, raw_response } = contents;
  const request = raw_request ?? (contents.request_codec === CANONICAL ? null : contents.request);
  const response = raw_response ?? (contents.response_codec === CANONICAL ? null : contents.response);
  const chat = attempt(() => chatRequestOf(facts, contents, codecs));
  const answer = attempt(() => responseOf(facts, contents, codecs));
  const message = answer && attempt(() => chatMessageOf(answer, codecs));
  return {
    ...chat,
    ...(message !== undefined && { output_message: message }),
    ...(request !== null && { raw_request: request }),
    ...(response !== null && { raw_response: response }),
  };
}

/** The beginning of what the user said last; empty when nobody can tell. */
export function summaryOf(contents: LogContents, codecs: Codecs): string {
  const messages = attempt(() => decodedRequest(contents, codecs))?.messages ?? [];
  const said = messages.findLast(({ role, parts }) => role === 'user' && parts.some(({ type }) => type === 'text'));
  const text = said?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ') ?? '';
  return text.slice(0, SUMMARY_LENGTH);
}

function chatRequestOf(facts: LogFacts, contents: LogContents, codecs: Codecs): ShownContents | undefined {
  const decoded = decodedRequest(contents, codecs);
  if (!decoded) return undefined;
  const stream = facts.stream === 1;
  const request: ChatRequest = { ...decoded, model: facts.model, stream, fallbacks: [], untouched: false };
  const { body } = codecs['openai-chat'].encodeRequest(request, { model: facts.model, stream });
  const { messages, tools, model: _model, stream: _stream, stream_options: _options, ...params } = body;
  return {
    ...(messages !== undefined && { input_history: messages }),
    ...(tools !== undefined && { tools }),
    params,
  };
}

function chatMessageOf(response: ChatResponse, codecs: Codecs): JsonValue | undefined {
  const { choices } = codecs['openai-chat'].encodeResponse(response);
  const choice = Array.isArray(choices) ? choices[0] : undefined;
  return isObject(choice) ? choice.message : undefined;
}

function decodedRequest(contents: LogContents, codecs: Codecs): DecodedRequest | undefined {
  const { request, request_codec, appended } = contents;
  if (request === null || request_codec === null) return undefined;
  const body: JsonObject = JSON.parse(request);
  const decoded =
    request_codec === CANONICAL ? canonical<DecodedRequest>(body) : codecOf(request_codec, codecs).decodeRequest(body);
  if (appended === null) return decoded;
  const added = canonical<{ messages: Message[]; tools: Tool[] }>(JSON.parse(appended));
  return { ...decoded, messages: [...decoded.messages, ...added.messages], tools: [...decoded.tools, ...added.tools] };
}

function responseOf(facts: LogFacts, contents: LogContents, codecs: Codecs): ChatResponse | undefined {
  const { response, response_codec } = contents;
  if (response === null || response_codec === null) return undefined;
  if (response_codec === CANONICAL) return canonical<ChatResponse>(JSON.parse(response));
  const codec = codecOf(response_codec, codecs);
  return facts.stream === 1 ? streamedResponse(response, codec) : codec.decodeResponse(JSON.parse(response));
}

/** As much of the answer as came: a cut stream is shown up to its cut. */
function streamedResponse(text: string, codec: Codec): ChatResponse {
  const response = emptyResponse();
  const decoder = codec.decodeStream();
  const reader = createSseReader();
  attempt(() => {
    for (const event of [...reader.push(Buffer.from(text)), ...reader.end()]) {
      for (const meaning of decoder.push(event)) fold(response, meaning);
    }
    for (const meaning of decoder.end()) fold(response, meaning);
  });
  return response;
}

function codecOf(id: string, codecs: Codecs): Codec {
  const codec = Object.values(codecs).find((known) => known.id === id);
  if (!codec) throw new Error(`no codec named ${id}`);
  return codec;
}

/** JSON that contents.ts wrote from values of this type. */
const canonical = <Value>(json: JsonObject): Value => json as unknown as Value;

function attempt<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
