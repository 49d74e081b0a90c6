import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { post } from './gateway.ts';
import { seal } from './strict-server.ts';

/** A request as a coding agent sent it. */
export interface Capture {
  readonly name: string;
  readonly client: 'claude-code' | 'codex' | 'gemini-cli';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

const CLIENTS: readonly Capture['client'][] = ['claude-code', 'codex', 'gemini-cli'];

/** Every capture of a folder, by the client's own folder in it. */
export const capturesIn = (folder: string): Capture[] =>
  CLIENTS.flatMap((client) =>
    readdirSync(resolve(folder, client))
      .filter((file) => file.startsWith('req-'))
      .map((file) => captureOf(client, file, JSON.parse(readFileSync(resolve(folder, client, file), 'utf8')))),
  );

function captureOf(client: Capture['client'], file: string, content: unknown): Capture {
  if (!isObject(content)) throw new Error(`${file} is no capture`);
  const { headers = {}, body = content } = content;
  const told = isObject(headers) ? headers : {};
  const beta = told['anthropic-beta'];
  return {
    name: file.replace('.json', ''),
    client,
    headers: { 'anthropic-version': '2023-06-01', ...(typeof beta === 'string' && { 'anthropic-beta': beta }) },
    body: isObject(body) ? JSON.parse(JSON.stringify(body), resealed) : {},
  };
}

/** The captures' signatures are those of other scripts: each becomes the one that its strict server would have given. */
function resealed(_name: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  const { type, signature, thinking, thoughtSignature, functionCall, text, encrypted_content: encrypted, id } = value;
  if (type === 'thinking' && signature) return { ...value, signature: seal('anthropic', String(thinking)) };
  if (type === 'reasoning' && encrypted) return { ...value, encrypted_content: seal('openai', String(id)) };
  if (typeof thoughtSignature !== 'string' || SKIPPED.test(thoughtSignature)) return value;
  const signed = isObject(functionCall) ? functionCall.name : (text ?? '');
  return { ...value, thoughtSignature: seal('google', String(signed)) };
}

/** What Google's client writes in place of a signature that it does not have. */
const SKIPPED = /skip_thought_signature|context_engineering/;

/** Sends a capture to a model, as its client does. */
export function askAs(url: string, { client, headers, body }: Capture, model: string): Promise<Response> {
  switch (client) {
    case 'claude-code':
      return post(`${url}/anthropic/v1/messages?beta=true`, { ...body, model }, headers);
    case 'codex':
      return post(`${url}/openai/v1/responses`, { ...body, model });
    case 'gemini-cli':
      return post(`${url}/genai/v1beta/models/${model}:streamGenerateContent?alt=sse`, body);
  }
}

/** What an answer of any format says, streamed or whole. */
export const said = (answer: string): string =>
  [...answer.matchAll(/"(?:text|delta|content)":\s*"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => piece).join('');
