import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';

// What cannot be done is said before any provider is asked, and the next request works.

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      openai: keyed(`${upstream.url}/v1`),
      gemini: keyed(upstream.url),
      cohere: keyed(upstream.url),
      vllm: keyed(`${upstream.url}/v1`),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const EMBEDDED = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1] }], model: 'e', usage: {} };

/** The error of a request that no provider is asked for. */
async function refused(path: string, init: RequestInit): Promise<{ status: number; message: string; param: unknown }> {
  const before = upstream.requests.length;
  const answer = await fetch(`${gateway.url}${path}`, { method: 'POST', ...init });
  const text = await answer.text();
  expect(answer.headers.get('content-type'), text).toBe('application/json');
  expect(upstream.requests.length).toBe(before);
  upstream.answers(json(EMBEDDED));
  const next = await post(`${gateway.url}/v1/embeddings`, { model: 'openai/e', input: 'Hi' });
  expect(next.status).toBe(200);
  const { error } = JSON.parse(text);
  return { status: answer.status, message: error.message, param: error.param };
}

const asJson = (body: object): RequestInit => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const form = (fields: Readonly<Record<string, string | Blob>>): RequestInit => {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return { body };
};

const inForm = (text: string, boundary = 'b'): RequestInit => ({
  headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  body: text,
});

const sound = new Blob(['RIFF'], { type: 'audio/wav' });

describe.each(['openai', 'gemini', 'vllm'])('%s', (provider) => {
  const model = `${provider}/m`;

  test.each<[string, object]>([
    ['no input', {}],
    ['null', { input: null }],
    ['a number', { input: 5 }],
    ['true', { input: true }],
    ['an object', { input: { text: 'Hi' } }],
    ['an empty text', { input: '' }],
    ['an empty list', { input: [] }],
  ])('embeddings of %s', async (_what, more) => {
    expect(await refused('/v1/embeddings', asJson({ model, ...more }))).toEqual({
      status: 400,
      message: expect.stringMatching(/^input is required: a text, a list of texts, or token ids/),
      param: 'input',
    });
  });
});

test.each<[string, string, object, string]>([
  ['a picture of nothing', '/v1/images/generations', {}, 'prompt'],
  ['a picture of a number', '/v1/images/generations', { prompt: 7 }, 'prompt'],
  ['speech of nothing', '/v1/audio/speech', { voice: 'alloy' }, 'input'],
  ['speech of a list', '/v1/audio/speech', { voice: 'alloy', input: ['Hi'] }, 'input'],
  ['no query', '/v1/rerank', { documents: ['a'] }, 'query'],
  ['no documents', '/v1/rerank', { query: 'a' }, 'documents'],
  ['documents that are a text', '/v1/rerank', { query: 'a', documents: 'b' }, 'documents'],
  ['a change of no picture', '/v1/images/edits', { prompt: 'a hat' }, 'image'],
  ['sound that is not there, as JSON', '/v1/audio/transcriptions', { language: 'en' }, 'file'],
])('%s', async (_what, path, more, param) => {
  for (const model of ['openai/m', 'gemini/m', 'cohere/m', 'vllm/m']) {
    expect(await refused(path, asJson({ model, ...more }))).toMatchObject({ status: 400, param });
  }
});

describe('forms', () => {
  test.each<[string, string, Readonly<Record<string, string | Blob>>, string]>([
    ['a change without a picture', '/v1/images/edits', { model: 'openai/m', prompt: 'a hat' }, 'image'],
    ['a variation without a picture', '/v1/images/variations', { model: 'openai/m' }, 'image'],
    ['a transcription without a file', '/v1/audio/transcriptions', { model: 'openai/whisper-1' }, 'file'],
    ['a file under another name', '/v1/audio/transcriptions', { model: 'openai/whisper-1', sound }, 'file'],
    ['a translation without a file', '/v1/audio/translations', { model: 'openai/whisper-1' }, 'file'],
    ['no model', '/v1/audio/transcriptions', { file: sound }, 'model'],
  ])('%s', async (_what, path, fields, param) => {
    expect(await refused(path, form(fields))).toMatchObject({
      status: 400,
      param,
      message: expect.stringMatching(`^${param} is required`),
    });
  });

  const part = (name: string, value: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

  test.each<[string, RequestInit, RegExp]>([
    ['without a boundary', { headers: { 'content-type': 'multipart/form-data' }, body: 'x' }, /names no boundary/],
    ['under another boundary', inForm(`${part('model', 'openai/m')}--b--`, 'other'), /closing boundary is missing/],
    ['that does not end', inForm(part('model', 'openai/m')), /closing boundary is missing/],
    ['of nothing', inForm(''), /closing boundary is missing/],
    ['whose part has no name', inForm('--b\r\nX: y\r\n\r\nz\r\n--b--'), /a part of it has no name/],
    ['whose part has no headers', inForm('--b\r\nz\r\n--b--'), /a part of it has no headers/],
  ])('a form %s', async (_what, init, words) => {
    for (const path of ['/v1/audio/transcriptions', '/v1/images/edits']) {
      expect(await refused(path, init)).toMatchObject({ status: 400, message: expect.stringMatching(words) });
    }
  });

  test('sound that is too large is a 413, before or after its size is known', async () => {
    const large = new Blob([new Uint8Array(26 * 1024 * 1024)]);
    const { status, message } = await refused(
      '/v1/audio/transcriptions',
      form({ model: 'openai/whisper-1', file: large }),
    );
    expect([status, message]).toEqual([413, expect.stringMatching(/larger than 25 MB/)]);
  });
});
