import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import { bodyOf, onLoopback } from '../support/loopback.ts';
import { strictAnthropic } from '../support/strict-anthropic.ts';
import { strictGemini } from '../support/strict-gemini.ts';
import { strictGroq } from '../support/strict-groq.ts';
import { strictOpenAiChat } from '../support/strict-openai-chat.ts';
import { strictResponses } from '../support/strict-responses.ts';
import {
  firstOf,
  objectOf,
  objectsOf,
  type StrictAnswer,
  type StrictApi,
  type StrictRequest,
  textOf,
} from '../support/strict-server.ts';

/** What a model answers: something, an error in its provider's words, or the beginning of an answer: one that never ends, or one that is cut. */
export type Said =
  | StrictAnswer
  | { readonly status: number; readonly message: string; readonly headers?: Readonly<Record<string, string>> }
  | 'silence'
  | 'cut';

/** A chat as it reached a provider. */
export interface Asked {
  readonly request: StrictRequest;
  /** Everything it says. */
  readonly text: string;
  /** The tools it offers. */
  readonly tools: readonly string[];
  /** Whether it brings results of tools. */
  readonly hasResults: boolean;
  /** How the connection ended. */
  readonly ended: Promise<'cut' | 'complete'>;
}

type Script = (asked: Asked) => Said;

export interface Providers {
  /** The address of each, as a gateway's config names it. */
  readonly urls: Readonly<Record<'openai' | 'groq' | 'anthropic' | 'gemini', string>>;
  /** Chats that a provider took since the script began, in order. */
  readonly asked: readonly Asked[];
  /** Begins a script, for whichever model is asked. */
  says(script: Script): void;
  /** Resolves with the next chat that reaches a provider. */
  nextAsked(): Promise<Asked>;
  close(): Promise<void>;
}

export interface Scene extends Providers {
  readonly gateway: Gateway;
}

/** A model of every format; each provider refuses what the real one refuses. */
export const MODELS = [
  'openai/gpt-5',
  'groq/meta-llama/llama-4-scout-17b-16e-instruct',
  'anthropic/claude-sonnet-4-5',
  'gemini/gemini-3-pro-preview',
] as const;

export const EMBEDDING_MODELS = ['openai/text-embedding-3-small', 'gemini/gemini-embedding-001'] as const;

/** What every embedding model makes of any text. */
export const VECTOR: readonly number[] = [0.5, -0.25, 1];

/** The whole gateway in front of four strict providers, which answer by one script. */
export async function startScene(): Promise<Scene> {
  const upstream = await startProviders();
  const { openai, groq, anthropic, gemini } = upstream.urls;
  const gateway = await startGatewayHere({
    client: { enable_logging: false },
    providers: { openai: keyed(openai), groq: keyed(groq), anthropic: keyed(anthropic), gemini: keyed(gemini) },
  });
  const close = async () => {
    await gateway.stop();
    await upstream.close();
  };
  return { ...upstream, gateway, close };
}

/** Four providers that refuse what the real ones refuse, and otherwise answer by one script. */
export async function startProviders(): Promise<Providers> {
  let script: Script = () => ({ text: 'nothing was said' });
  const asked: Asked[] = [];
  const waiting: ((next: Asked) => void)[] = [];
  const server = createServer(async (incoming, response) => {
    const request = requestOf(incoming, (await bodyOf(incoming)).toString());
    const plain = plainAnswer(incoming.method, request);
    if (plain) {
      sendJson(response, ...plain);
      return;
    }
    const now = askedOf(request, response);
    asked.push(now);
    waiting.shift()?.(now);
    say(script(now), request, asked.length, response);
  });
  const { url: at, close } = await onLoopback(server);
  return {
    urls: {
      openai: `${at}/openai/v1`,
      groq: `${at}/groq/v1`,
      anthropic: `${at}/anthropic`,
      gemini: `${at}/gemini/v1beta`,
    },
    asked,
    says(next) {
      script = next;
      asked.length = 0;
    },
    nextAsked: () => new Promise((resolve) => waiting.push(resolve)),
    close,
  };
}

function apiOf(path: string): StrictApi {
  if (path.startsWith('/anthropic')) return strictAnthropic;
  if (path.startsWith('/gemini')) return strictGemini;
  if (path.startsWith('/groq')) return strictGroq;
  return path.endsWith('/responses') ? strictResponses : strictOpenAiChat;
}

function requestOf({ url = '/', headers }: IncomingMessage, text: string): StrictRequest {
  const parsed: unknown = JSON.parse(text || '{}');
  const body = isObject(parsed) ? parsed : {};
  const [, model, verb] = /\/models\/(.+?):(\w+)/.exec(url) ?? [];
  const stream = verb === undefined ? body.stream === true : verb === 'streamGenerateContent';
  return { path: url, headers, body, model: model ?? textOf(body.model), stream };
}

function askedOf(request: StrictRequest, response: ServerResponse): Asked {
  const text = JSON.stringify(request.body);
  const tools = objectsOf(request.body.tools).flatMap(({ name, function: named, functionDeclarations }) => [
    ...[name, objectOf(named).name].map(textOf).filter((word) => word !== ''),
    ...objectsOf(functionDeclarations).map((declared) => textOf(declared.name)),
  ]);
  return {
    request,
    text,
    tools,
    hasResults: /"role":"tool"|"type":"tool_result"|"functionResponse"|"function_call_output"/.test(text),
    ended: new Promise((resolve) => {
      response.on('close', () => resolve(response.writableFinished ? 'complete' : 'cut'));
    }),
  };
}

/** Lists, vectors, and what the provider refuses; undefined for a chat that it takes. */
function plainAnswer(method: string | undefined, request: StrictRequest): [number, JsonObject] | undefined {
  const { path, body } = request;
  if (method === 'GET') return [200, listOf(path)];
  if (/embed/i.test(path)) return [200, vectorsOf(body)];
  const api = apiOf(path);
  const problem = firstOf(api.rules, (rule) => rule.problem(request));
  return problem === undefined ? undefined : [400, api.refusal(problem).body];
}

function say(said: Said, request: StrictRequest, count: number, response: ServerResponse): void {
  const api = apiOf(request.path);
  if (said === 'silence' || said === 'cut') {
    begin(api, request, count, response);
    // what was written is sent before the connection goes
    if (said === 'cut') setTimeout(() => response.destroy(), 50);
  } else if ('status' in said) {
    const { status, message, headers } = said;
    sendJson(response, status, refusalOf(api, status, message), headers);
  } else if (request.stream) {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(api.streamed(said, request, count));
  } else {
    sendJson(response, 200, api.whole(said, request, count));
  }
}

/** Some words of a stream; of a whole answer nothing. */
function begin(api: StrictApi, request: StrictRequest, count: number, response: ServerResponse): void {
  if (!request.stream) return;
  const answer = { text: 'Once upon a time there was a gateway.', calls: [{ name: 'weather', input: {} }] };
  const events = String(api.streamed(answer, request, count)).split(/(?<=\n\n)/);
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(events.slice(0, 4).join(''));
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  500: 'api_error',
};

const GOOGLE_STATUSES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
};

function refusalOf(api: StrictApi, status: number, message: string): JsonObject {
  const { body } = api.refusal(message);
  const error = objectOf(body.error);
  if (api === strictAnthropic) return { ...body, error: { ...error, type: ANTHROPIC_TYPES[status] ?? error.type } };
  return api === strictGemini
    ? { error: { ...error, code: status, status: GOOGLE_STATUSES[status] ?? error.status } }
    : body;
}

function sendJson(response: ServerResponse, status: number, body: JsonObject, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** The model of a provider, as its own API lists it. */
function listOf(path: string): JsonObject {
  const [provider = '', ...name] = (MODELS.find((model) => path.startsWith(`/${model.split('/')[0]}/`)) ?? '').split(
    '/',
  );
  const id = name.join('/');
  if (provider === 'gemini') return { models: [{ name: `models/${id}`, displayName: id }] };
  if (provider !== 'anthropic') return { object: 'list', data: [{ id, object: 'model', created: 1, owned_by: 'x' }] };
  const model = { type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' };
  return { data: [model], has_more: false, first_id: id, last_id: id };
}

/** The vector for every text, in the form of the API that was asked. */
function vectorsOf({ requests, input, encoding_format: format }: JsonObject): JsonObject {
  if (Array.isArray(requests)) return { embeddings: requests.map(() => ({ values: [...VECTOR] })) };
  if (input === undefined) return { embedding: { values: [...VECTOR] } };
  const base64 = Buffer.from(new Float32Array(VECTOR).buffer).toString('base64');
  const embedding = format === 'base64' ? base64 : [...VECTOR];
  const texts = Array.isArray(input) ? input : [input];
  return {
    object: 'list',
    data: texts.map((_, index) => ({ object: 'embedding', index, embedding })),
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 7, total_tokens: 7 },
  };
}
