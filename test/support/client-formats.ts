import { expect } from 'vitest';
import { createAmazonFrameReader } from '../../src/codecs/amazon-frames.ts';
import type { CodecId } from '../../src/model/content.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { chat, type Dialect, messages } from './dialects.ts';
import { post } from './gateway.ts';

/** A client of one format: what it asks, and what it makes of answers. Streams are texts of `data:` lines. */
export interface ClientFormat {
  readonly format: CodecId;
  ask(url: string, model: string, stream: boolean, signal?: AbortSignal): Promise<Response>;
  /** The body of an answer as text, whatever it travels in. */
  read(response: Response): Promise<string>;
  /** What a whole answer says. */
  textOf(body: string): string;
  /** What a stream says. */
  streamTextOf(text: string): string;
  /** The message of an error answer; fails unless it has this format's shape. */
  errorOf(response: Response, body: string): string;
  /** The message of the error that ended a stream; undefined when none did. */
  streamErrorOf(text: string): string | undefined;
  /** Whether a stream ended as one that is complete. */
  endsWell(text: string): boolean;
}

const objectOf = (value: unknown): JsonObject => {
  if (isObject(value)) return value;
  throw new Error(`no JSON object: ${JSON.stringify(value)}`);
};

const listOf = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.map(objectOf) : []);

const eventsOf = (text: string): JsonObject[] =>
  [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, data = '']) => objectOf(JSON.parse(data)));

const textIn = (pieces: readonly unknown[]): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : '')).join('');

const readText = (response: Response): Promise<string> => response.text();

/** The formats whose requests say in the body what they want. */
const said = (dialect: Dialect) => ({
  ask: (url: string, model: string, stream: boolean, signal?: AbortSignal) =>
    post(`${url}${dialect.path}`, dialect.question(model, { stream }), {}, signal),
  read: readText,
  textOf: (body: string) => dialect.textOf(JSON.parse(body)),
  errorOf: (_response: Response, body: string) => dialect.errorOf(JSON.parse(body)).message,
  streamErrorOf: (text: string) => dialect.streamErrorOf(text)?.message,
  endsWell: dialect.endsWell,
});

const chatClient: ClientFormat = {
  format: 'openai-chat',
  ...said(chat),
  streamTextOf: (text) =>
    textIn(eventsOf(text).flatMap(({ choices }) => listOf(choices).map((choice) => objectOf(choice.delta).content))),
};

const messagesClient: ClientFormat = {
  format: 'anthropic-messages',
  ...said(messages),
  streamTextOf: (text) => textIn(eventsOf(text).map(({ delta }) => (isObject(delta) ? delta.text : undefined))),
};

const responsesClient: ClientFormat = {
  format: 'openai-responses',
  ask: (url, model, stream, signal) => post(`${url}/v1/responses`, { model, input: 'hello', stream }, {}, signal),
  read: readText,
  textOf: (body) =>
    textIn(listOf(objectOf(JSON.parse(body)).output).flatMap(({ content }) => listOf(content).map(({ text }) => text))),
  streamTextOf: (text) =>
    textIn(eventsOf(text).map(({ type, delta }) => (type === 'response.output_text.delta' ? delta : undefined))),
  errorOf: (_response, body) => chat.errorOf(JSON.parse(body)).message,
  streamErrorOf: (text) =>
    eventsOf(text).flatMap(({ type, message, response }) => {
      if (type === 'error') return [String(message)];
      return type === 'response.failed' ? [String(objectOf(objectOf(response).error).message)] : [];
    })[0],
  endsWell: (text) => eventsOf(text).some(({ type }) => type === 'response.completed'),
};

const QUESTION = [{ role: 'user', parts: [{ text: 'hello' }] }];

const partsOf = ({ candidates }: JsonObject): JsonObject[] =>
  listOf(candidates).flatMap(({ content }) => (isObject(content) ? listOf(content.parts) : []));

const geminiClient: ClientFormat = {
  format: 'gemini',
  ask: (url, model, stream, signal) =>
    post(
      `${url}/genai/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      { contents: QUESTION },
      {},
      signal,
    ),
  read: readText,
  textOf: (body) => textIn(partsOf(objectOf(JSON.parse(body))).map(({ text }) => text)),
  streamTextOf: (text) =>
    textIn(
      eventsOf(text)
        .flatMap(partsOf)
        .map((part) => part.text),
    ),
  errorOf(response, body) {
    const { code, message, status } = objectOf(objectOf(JSON.parse(body)).error);
    expect([code, typeof status]).toEqual([response.status, 'string']);
    return String(message);
  },
  streamErrorOf: (text) => eventsOf(text).flatMap(({ error }) => (error ? [String(objectOf(error).message)] : []))[0],
  endsWell: (text) => text.includes('"finishReason"'),
};

/** The frames of an event stream as the lines of `data:` that the other formats have. */
const readFrames = async (response: Response): Promise<string> => {
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.headers.get('content-type') !== 'application/vnd.amazon.eventstream') return bytes.toString();
  return createAmazonFrameReader()
    .push(bytes)
    .map(({ headers, payload }) => {
      const kind = headers[':exception-type'] ?? headers[':event-type'] ?? '';
      return `data: ${JSON.stringify({ [headers[':message-type'] ?? '']: kind, ...objectOf(JSON.parse(payload.toString())) })}\n`;
    })
    .join('');
};

const converseClient: ClientFormat = {
  format: 'bedrock-converse',
  ask: (url, model, stream, signal) =>
    post(
      `${url}/bedrock/model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`,
      { messages: [{ role: 'user', content: [{ text: 'hello' }] }] },
      {},
      signal,
    ),
  read: readFrames,
  textOf: (body) => {
    const { message } = objectOf(objectOf(JSON.parse(body)).output);
    return textIn(listOf(objectOf(message).content).map(({ text }) => text));
  },
  streamTextOf: (text) => textIn(eventsOf(text).map(({ delta }) => (isObject(delta) ? delta.text : undefined))),
  errorOf(response, body) {
    expect(response.headers.get('x-amzn-errortype')).toMatch(/^[A-Z]\w+Exception$/);
    return String(objectOf(JSON.parse(body)).message);
  },
  streamErrorOf: (text) => eventsOf(text).flatMap(({ exception, message }) => (exception ? [String(message)] : []))[0],
  endsWell: (text) => eventsOf(text).some(({ event }) => event === 'messageStop'),
};

export const clientFormats: readonly ClientFormat[] = [
  chatClient,
  messagesClient,
  responsesClient,
  geminiClient,
  converseClient,
];
