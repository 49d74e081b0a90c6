import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { bodyOf, onLoopback } from './loopback.ts';

/** What a scripted model answers. */
export interface StrictAnswer {
  readonly thinking?: string;
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly input: JsonObject }[];
}

export interface StrictRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly model: string;
  readonly stream: boolean;
  readonly body: JsonObject;
}

/** One thing that a real API refuses. Together they are a table of what each API's validator looks at. */
export interface Rule {
  readonly rule: string;
  /** Where it is known from: the API's documentation, a recorded answer, or reports of users. */
  readonly source: string;
  /** The API's own words for what is wrong; undefined when the request may pass. */
  readonly problem: (request: StrictRequest) => string | undefined;
}

/** A wire format with the manners of the API that speaks it. */
export interface StrictApi {
  readonly rules: readonly Rule[];
  readonly refusal: (message: string) => { readonly status: number; readonly body: JsonObject };
  readonly whole: (answer: StrictAnswer, request: StrictRequest, count: number) => JsonObject;
  /** Server-sent events as text, or frames where `streamType` says so. */
  readonly streamed: (answer: StrictAnswer, request: StrictRequest, count: number) => string | Buffer;
  readonly streamType?: string;
}

export interface StrictUpstream {
  readonly url: string;
  /** Requests that were taken, in order. */
  readonly accepted: StrictRequest[];
  /** What was wrong with those that were not. */
  readonly refused: string[];
  close(): Promise<void>;
}

/** A server on loopback that refuses what the real API refuses, and otherwise answers by the script. */
export async function startStrict(
  api: StrictApi,
  script: (request: StrictRequest, count: number) => StrictAnswer,
): Promise<StrictUpstream> {
  const accepted: StrictRequest[] = [];
  const refused: string[] = [];
  const server = createServer(async (incoming, response) => {
    const request = requestOf(incoming.url ?? '/', incoming.headers, (await bodyOf(incoming)).toString());
    const problem = firstProblem(api.rules, request);
    if (problem !== undefined) {
      refused.push(problem);
      const { status, body } = api.refusal(problem);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
      return;
    }
    accepted.push(request);
    const answer = script(request, accepted.length);
    const streamType = api.streamType ?? 'text/event-stream';
    response.writeHead(200, { 'content-type': request.stream ? streamType : 'application/json' });
    const count = accepted.length;
    response.end(
      request.stream ? api.streamed(answer, request, count) : JSON.stringify(api.whole(answer, request, count)),
    );
  });
  return { ...(await onLoopback(server)), accepted, refused };
}

function requestOf(path: string, headers: IncomingHttpHeaders, text: string): StrictRequest {
  const parsed: unknown = JSON.parse(text || '{}');
  const body = isObject(parsed) ? parsed : {};
  const named = /\/models\/(.+?):(\w+)/.exec(path) ?? /\/model\/(.+?)\/([\w-]+)/.exec(path);
  return {
    path,
    headers,
    body,
    model: decodeURIComponent(named?.[1] ?? textOf(body.model)),
    stream: named ? /stream/i.test(named[2] ?? '') : body.stream === true,
  };
}

export function firstProblem(rules: readonly Rule[], request: StrictRequest): string | undefined {
  for (const { problem } of rules) {
    const found = problem(request);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A signature that only the mock of this maker can have given to this text. */
export const seal = (maker: string, text: string): string => createHmac('sha512', maker).update(text).digest('base64');

export const isSealed = (maker: string, text: string, signature: JsonValue | undefined): boolean =>
  signature === seal(maker, text);

export const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');
export const objectOf = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});
export const objectsOf = (value: JsonValue | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

/** The first field that is not among the known ones. */
export const unknownField = (body: JsonObject, known: readonly string[]): string | undefined =>
  Object.keys(body).find((field) => !known.includes(field));

export const firstOf = <Value>(values: readonly Value[], look: (value: Value, index: number) => string | undefined) => {
  for (const [index, value] of values.entries()) {
    const found = look(value, index);
    if (found !== undefined) return found;
  }
  return undefined;
};

export const sse = (data: JsonObject, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;

export const pieces = (text: string, length = 9): string[] =>
  text.match(new RegExp(`.{1,${length}}`, 'gs'))?.slice() ?? [];
