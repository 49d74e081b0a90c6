import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { post } from '../support/gateway.ts';
import { shared, sharedPath } from '../support/shared.ts';
import { type StrictGateway, type StrictName, startStrictGateway } from '../support/strict-gateway.ts';
import { seal } from '../support/strict-server.ts';

interface Capture {
  readonly name: string;
  readonly client: 'claude-code' | 'codex' | 'gemini-cli';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

/** Providers with a model, each of which must take every request of every client. */
const TARGETS: readonly (readonly [StrictName, string])[] = [
  ['anthropic', 'claude-opus-4-6'],
  ['anthropic', 'claude-sonnet-4-20250514'],
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-5'],
  ['gemini', 'gemini-2.5-pro'],
  ['gemini', 'gemini-3-pro-preview'],
  ['groq', 'llama-3.3-70b-versatile'],
  ['deepseek', 'deepseek-reasoner'],
];

const CLIENTS: readonly Capture['client'][] = ['claude-code', 'codex', 'gemini-cli'];

const capturesIn = (folder: string): Capture[] =>
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

function ask(url: string, { client, headers, body }: Capture, model: string): Promise<Response> {
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
const said = (answer: string): string =>
  [...answer.matchAll(/"(?:text|delta|content)":\s*"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => piece).join('');

function takesEveryCapture(captures: readonly Capture[]): void {
  let strict: StrictGateway;
  beforeAll(async () => {
    strict = await startStrictGateway(() => ({ thinking: 'I look.', text: 'Here it is.' }));
  });
  afterAll(() => strict.close());

  for (const [provider, model] of TARGETS) {
    test.each(captures)(`${provider}/${model} takes $client $name`, async (capture) => {
      const upstream = strict.upstreams[provider];
      const before = upstream.accepted.length;
      const answer = await ask(strict.gateway.url, capture, `${provider}/${model}`);
      const text = await answer.text();
      expect([answer.status, upstream.refused.splice(0), answer.ok ? '' : text]).toEqual([200, [], '']);
      expect(upstream.accepted.length).toBe(before + 1);
      expect(said(text)).toContain('Here it is.');
    });
  }
}

describe('strict servers take what coding agents send', () => {
  takesEveryCapture(capturesIn(resolve(import.meta.dirname, '../fixtures/clients')));
});

describe.runIf(shared)('strict servers take every captured request', () => {
  takesEveryCapture(shared ? capturesIn(sharedPath('captures')) : []);
});
