import Anthropic from '@anthropic-ai/sdk';
import { type Content, type FunctionDeclaration, GoogleGenAI, type Part } from '@google/genai';
import OpenAI from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import type { Response, ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import type { Format } from './answers.ts';

/**
 * An honest client in the middle of a conversation: it keeps every answer as its SDK gave it, answers each call, and
 * sends all of it back.
 */
export interface Conversation {
  /** Asks `model` for the next answer and keeps it. Gives how many calls wait for a result. */
  ask(model: string, stream: boolean): Promise<number>;
  /** Answers the calls in order. */
  giveResults(texts: readonly string[]): void;
  say(text: string): void;
}

interface Tools {
  readonly names: readonly string[];
}

type Begin = (tools: Tools) => Conversation;

/** Conversations of one caller: `key` is its virtual key, by which the gateway tells callers apart. */
export function conversationsAt(url: string, key: string): Readonly<Record<Format, Begin>> {
  const defaultHeaders = { 'x-bf-vk': key };
  const quiet = { apiKey: 'any', maxRetries: 0, timeout: 60_000, defaultHeaders };
  const openai = new OpenAI({ ...quiet, baseURL: `${url}/v1` });
  const anthropic = new Anthropic({ ...quiet, baseURL: `${url}/anthropic`, logLevel: 'off' });
  const google = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: `${url}/genai`, headers: defaultHeaders } });
  return {
    'openai-chat': (tools) => new ChatConversation(openai, tools),
    'openai-responses': (tools) => new ResponsesConversation(openai, tools),
    'anthropic-messages': (tools) => new MessagesConversation(anthropic, tools),
    gemini: (tools) => new GeminiConversation(google, tools),
  };
}

const SCHEMA = { type: 'object' as const, properties: {}, additionalProperties: true };
const OPENING = 'Let us begin.';

class ChatConversation implements Conversation {
  readonly #client: OpenAI;
  readonly #tools: JsonObject[];
  readonly #messages: JsonObject[] = [{ role: 'user', content: OPENING }];
  #waiting: string[] = [];

  constructor(client: OpenAI, { names }: Tools) {
    this.#client = client;
    this.#tools = names.map((name) => ({ type: 'function', function: { name, parameters: SCHEMA } }));
  }

  async ask(model: string, stream: boolean): Promise<number> {
    const asked = { model, messages: this.#messages, ...(this.#tools.length > 0 && { tools: this.#tools }) };
    // messages are kept as they came, with fields that the SDK has no types for
    const params = asked as unknown as ChatCompletionCreateParamsNonStreaming;
    const message = stream
      ? await grownMessage(await this.#client.chat.completions.create({ ...params, stream: true }))
      : (await this.#client.chat.completions.create(params)).choices[0]?.message;
    if (!isObject(message)) throw new Error('the answer has no message');
    this.#messages.push(message);
    this.#waiting = objects(message.tool_calls).map(({ id }) => String(id));
    return this.#waiting.length;
  }

  giveResults(texts: readonly string[]): void {
    this.#waiting.forEach((id, at) => {
      this.#messages.push({ role: 'tool', tool_call_id: id, content: texts[at] ?? '' });
    });
  }

  say(text: string): void {
    this.#messages.push({ role: 'user', content: text });
  }
}

/** A message grown from chunks as chat clients do it: texts are joined, lists of unknown fields appended. */
async function grownMessage(chunks: AsyncIterable<unknown>): Promise<JsonObject> {
  const message: JsonObject = { role: 'assistant', content: null };
  const calls: JsonObject[] = [];
  for await (const chunk of chunks) {
    const [choice] = objects(isObject(chunk) ? chunk.choices : undefined);
    const delta = isObject(choice?.delta) ? choice.delta : {};
    for (const [key, value] of Object.entries(delta)) {
      if (key === 'role' || value === null || value === undefined) continue;
      if (key === 'tool_calls') for (const piece of objects(value)) growCall(calls, piece);
      else if (Array.isArray(value)) message[key] = [...list(message[key]), ...value];
      else if (typeof value === 'string') message[key] = `${message[key] ?? ''}${value}`;
      else message[key] = value;
    }
  }
  return calls.length > 0 ? { ...message, tool_calls: calls } : message;
}

function growCall(calls: JsonObject[], { index, ...piece }: JsonObject): void {
  const at = Number(index ?? calls.length);
  const known = calls[at];
  if (!known) {
    calls[at] = { type: 'function', ...piece };
    return;
  }
  const [grown, more] = [known.function, piece.function];
  if (!isObject(grown) || !isObject(more)) return;
  grown.arguments = `${grown.arguments ?? ''}${more.arguments ?? ''}`;
  if (typeof more.name === 'string') grown.name ||= more.name;
}

class ResponsesConversation implements Conversation {
  readonly #client: OpenAI;
  readonly #tools: JsonObject[];
  readonly #input: JsonObject[] = [{ role: 'user', content: OPENING }];
  #waiting: JsonObject[] = [];

  constructor(client: OpenAI, { names }: Tools) {
    this.#client = client;
    this.#tools = names.map((name) => ({ type: 'function', name, parameters: SCHEMA, strict: false }));
  }

  async ask(model: string, stream: boolean): Promise<number> {
    const asked = { model, input: this.#input, store: false, include: ['reasoning.encrypted_content'] };
    const params = { ...asked, tools: this.#tools } as unknown as ResponseCreateParamsNonStreaming;
    const answer = stream ? await this.#streamed(params) : await this.#client.responses.create(params);
    const output = objects(answer.output);
    this.#input.push(...output);
    this.#waiting = output.filter(({ type }) => type === 'function_call' || type === 'custom_tool_call');
    return this.#waiting.length;
  }

  giveResults(texts: readonly string[]): void {
    this.#waiting.forEach(({ type, call_id: id }, at) => {
      this.#input.push({ type: `${type}_output`, call_id: id ?? '', output: texts[at] ?? '' });
    });
  }

  say(text: string): void {
    this.#input.push({ role: 'user', content: text });
  }

  async #streamed(params: ResponseCreateParamsNonStreaming): Promise<Response> {
    let last: Response | undefined;
    for await (const event of await this.#client.responses.create({ ...params, stream: true })) {
      if (event.type === 'response.completed' || event.type === 'response.incomplete') last = event.response;
    }
    if (!last) throw new Error('the stream held no finished response');
    return last;
  }
}

class MessagesConversation implements Conversation {
  readonly #client: Anthropic;
  readonly #tools: Anthropic.Tool[];
  readonly #messages: Anthropic.MessageParam[] = [{ role: 'user', content: OPENING }];
  #waiting: string[] = [];

  constructor(client: Anthropic, { names }: Tools) {
    this.#client = client;
    this.#tools = names.map((name) => ({ name, input_schema: SCHEMA }));
  }

  async ask(model: string, stream: boolean): Promise<number> {
    const asked = { model, max_tokens: 4_096, messages: this.#messages, tools: this.#tools };
    const { content } = stream
      ? await this.#client.messages.stream(asked).finalMessage()
      : await this.#client.messages.create(asked);
    this.#messages.push({ role: 'assistant', content });
    this.#waiting = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    return this.#waiting.length;
  }

  giveResults(texts: readonly string[]): void {
    const content = this.#waiting.map((id, at) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: texts[at] ?? '',
    }));
    this.#messages.push({ role: 'user', content });
  }

  say(text: string): void {
    this.#messages.push({ role: 'user', content: text });
  }
}

class GeminiConversation implements Conversation {
  readonly #client: GoogleGenAI;
  readonly #declarations: FunctionDeclaration[];
  readonly #contents: Content[] = [{ role: 'user', parts: [{ text: OPENING }] }];
  #waiting: Part[] = [];

  constructor(client: GoogleGenAI, { names }: Tools) {
    this.#client = client;
    this.#declarations = names.map((name) => ({ name, parametersJsonSchema: SCHEMA }));
  }

  async ask(model: string, stream: boolean): Promise<number> {
    const tools = this.#declarations.length > 0 ? [{ functionDeclarations: this.#declarations }] : [];
    const asked = { model, contents: this.#contents, config: { tools } };
    const parts: Part[] = [];
    if (stream) {
      for await (const chunk of await this.#client.models.generateContentStream(asked)) {
        parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
      }
    } else parts.push(...((await this.#client.models.generateContent(asked)).candidates?.[0]?.content?.parts ?? []));
    this.#contents.push({ role: 'model', parts });
    this.#waiting = parts.filter(({ functionCall }) => functionCall);
    return this.#waiting.length;
  }

  giveResults(texts: readonly string[]): void {
    const parts = this.#waiting.map(({ functionCall }, at) => ({
      functionResponse: {
        ...(functionCall?.id && { id: functionCall.id }),
        name: functionCall?.name ?? '',
        response: { output: texts[at] ?? '' },
      },
    }));
    this.#contents.push({ role: 'user', parts });
  }

  say(text: string): void {
    this.#contents.push({ role: 'user', parts: [{ text }] });
  }
}

const list = (value: unknown): JsonObject[] => objects(value);
const objects = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
