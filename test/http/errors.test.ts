import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import type { CodecId } from '../../src/model/content.ts';
import { GatewayError } from '../../src/model/errors.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { cases } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { type Answer, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  const responses = {
    ...keyed(`${upstream.url}/v1`),
    custom_provider_config: {
      base_provider_type: 'openai',
      allowed_requests: { responses: true, responses_stream: true },
    },
  };
  gateway = await startGatewayHere({
    providers: {
      groq: keyed(`${upstream.url}/v1`),
      items: responses,
      anthropic: keyed(upstream.url),
      gemini: keyed(`${upstream.url}/v1beta`),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

interface Client {
  readonly format: CodecId;
  path(model: string, stream: boolean): string;
  question(model: string, stream: boolean): JsonObject;
  /** What this client's own reactions look for when the context is too long. */
  readonly reactsTo: (status: number, error: JsonObject) => boolean;
}

const said = [{ role: 'user', content: 'hello' }];
const CLIENTS: readonly Client[] = [
  {
    format: 'openai-chat',
    path: () => '/v1/chat/completions',
    question: (model, stream) => ({ model, stream, messages: said }),
    reactsTo: (status, { code }) => status >= 400 && code === 'context_length_exceeded',
  },
  {
    format: 'openai-responses',
    path: () => '/v1/responses',
    question: (model, stream) => ({ model, stream, input: 'hello' }),
    reactsTo: (status, { code }) => status >= 400 && code === 'context_length_exceeded',
  },
  {
    format: 'anthropic-messages',
    path: () => '/anthropic/v1/messages',
    question: (model, stream) => ({ model, stream, max_tokens: 9, messages: said }),
    // Claude Code 2.1 compacts on a 400 with one of these texts
    reactsTo: (status, { message }) =>
      status === 400 &&
      /prompt is too long|maximum context length is|input token count .* exceeds/.test(String(message)),
  },
  {
    format: 'gemini',
    path: (model, stream) =>
      `/genai/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    question: () => ({ contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }),
    reactsTo: (status, { status: word }) => status >= 400 && word === 'INVALID_ARGUMENT',
  },
];

interface Provider {
  readonly name: string;
  readonly format: CodecId;
  /** Words of this vendor for a context that is too long: as they come, and what they say of it. */
  readonly tooLong: string;
}

const PROVIDERS: readonly Provider[] = [
  {
    name: 'groq',
    format: 'openai-chat',
    tooLong: "This model's maximum context length is 131072 tokens. However, you requested 250025 tokens.",
  },
  {
    name: 'items',
    format: 'openai-responses',
    tooLong: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
  },
  { name: 'anthropic', format: 'anthropic-messages', tooLong: 'prompt is too long: 209123 tokens > 200000 maximum' },
  {
    name: 'gemini',
    format: 'gemini',
    tooLong: 'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).',
  },
];

const sent =
  (status: number, type: string, text: string, headers = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': type, ...headers }).end(text);
  };

/** The error as a provider of this format writes it, by the codec that writes them for clients. */
const refusal = (format: CodecId, error: GatewayError, headers = {}): Answer => {
  const { status, body } = codecs[format].encodeError(error);
  return sent(status, 'application/json', JSON.stringify(body), headers);
};

interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
  readonly error: JsonObject;
}

async function asked(client: Client, provider: string, stream: boolean, answer: Answer): Promise<Told> {
  upstream.answers(answer);
  const model = `${provider}/m`;
  const response = await post(`${gateway.url}${client.path(model, stream)}`, client.question(model, stream));
  const body: unknown = await response.json();
  if (!isObject(body) || !isObject(body.error)) throw new Error(`no error object: ${JSON.stringify(body)}`);
  return { status: response.status, headers: response.headers, body, error: body.error };
}

const PAIRS = CLIENTS.flatMap((client) =>
  PROVIDERS.flatMap((provider) =>
    [false, true].map((stream) => ({
      client,
      provider,
      stream,
      title: `${client.format} client, ${provider.format} provider, ${stream ? 'streamed' : 'whole'}`,
    })),
  ),
);

describe.each(PAIRS)('$title', ({ client, provider, stream }) => {
  test('E9 status, words, retry-after and the upstream’s request id survive', async () => {
    const error = new GatewayError('rate-limit', 'slow down, please', { status: 429 });
    const headers = { 'retry-after': '17', 'x-request-id': 'upstream-1', 'x-ratelimit-remaining-requests': '0' };
    const told = await asked(client, provider.name, stream, refusal(provider.format, error, headers));
    expect(told.status).toBe(429);
    expect(told.error.message).toBe('slow down, please');
    expect(
      ['retry-after', 'x-request-id', 'x-ratelimit-remaining-requests'].map((name) => told.headers.get(name)),
    ).toEqual(['17', 'upstream-1', '0']);
  });

  test('E9 an HTML page becomes a JSON error of the same status', async () => {
    const page = '<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>';
    const told = await asked(client, provider.name, stream, sent(502, 'text/html', page));
    expect([told.status, told.headers.get('content-type')]).toEqual([502, 'application/json']);
    expect(told.error.message).toBe('upstream answered 502 with an HTML page: 502 Bad Gateway');
  });

  test('E9 a context that is too long is told in words to which this client reacts', async () => {
    const error = new GatewayError('invalid-request', provider.tooLong, { status: 400 });
    const told = await asked(client, provider.name, stream, refusal(provider.format, error));
    expect(client.reactsTo(told.status, told.error)).toBe(true);
    expect(String(told.error.message)).toContain(provider.tooLong);
  });

  test('who was asked stands in the headers, and in extra_fields where the dialect has room', async () => {
    const error = new GatewayError('overloaded', 'busy', { status: 503 });
    const told = await asked(client, provider.name, stream, refusal(provider.format, error));
    expect(told.headers.get('x-bifrost-provider')).toBe(provider.name);
    expect(told.headers.get('x-bifrost-original-model')).toBe(`${provider.name}/m`);
    expect(told.headers.get('x-bifrost-trace-id')).toBe(told.headers.get('x-bifrost-request-id'));
    const isOpenAi = client.format.startsWith('openai-');
    expect(told.body.extra_fields).toEqual(
      isOpenAi ? expect.objectContaining({ provider: provider.name, resolved_model_used: 'm' }) : undefined,
    );
  });
});

const OPENINGS: Readonly<Record<CodecId, string>> = Object.fromEntries(
  Object.entries(codecs).map(([id, { encodeStream }]) => {
    const write = encodeStream({ model: 'm', id: 'answer_1', createdAtMs: 0 });
    const events = [
      write({ type: 'response-start', id: 'answer_1', model: 'm' }),
      write({ type: 'part-start', index: 0, part: { type: 'text', text: '' } }),
      write({ type: 'part-delta', index: 0, delta: 'half an' }),
    ];
    return [id, events.join('')];
  }),
) as Record<CodecId, string>;

const streaming = (response: ServerResponse, text: string): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
};

describe.each(PAIRS.filter(({ stream }) => stream))('in the midst of a stream: $title', ({ client, provider }) => {
  test('C9 an error of the upstream is one of the client’s dialect, never an end', async () => {
    const failure = new GatewayError('overloaded', 'the model fell over', { status: 503 });
    const text = OPENINGS[provider.format] + codecs[provider.format].encodeStreamError(failure);
    upstream.answers((response) => streaming(response, text));
    const model = `${provider.name}/m`;
    const response = await post(`${gateway.url}${client.path(model, true)}`, client.question(model, true));
    const seen = await response.text();
    expect(response.status).toBe(200);
    expect(seen).toContain('half an');
    expect(seen).toContain('the model fell over');
    expect(seen).not.toMatch(/\[DONE\]|message_stop|response\.completed|"finishReason":"STOP"/);
    expect(seen).toMatch(/"error":\s*\{/);
  });
});

describe('a limit of output', () => {
  const anthropicWords = 'max_tokens: 32000 > 16384, which is the maximum allowed number of output tokens for m';
  const openaiWords = 'max_tokens is too large: 32000. This model supports at most 16384 completion tokens';

  test.each([
    ['openai-chat', 'anthropic', anthropicWords, openaiWords],
    [
      'anthropic-messages',
      'groq',
      `${openaiWords}, whereas you provided 32000.`,
      'max_tokens: 32000 > 16384, which is',
    ],
    ['anthropic-messages', 'anthropic', anthropicWords, 'max_tokens: 32000 > 16384, which is'],
  ] as const)('is told to a client of %s asked of %s in its own words', async (format, provider, words, expected) => {
    const client = CLIENTS.find((each) => each.format === format);
    const given = PROVIDERS.find((each) => each.name === provider);
    if (!client || !given) throw new Error('no such client or provider');
    const error = new GatewayError('invalid-request', words, { status: 400 });
    const told = await asked(client, provider, false, refusal(given.format, error));
    expect(String(told.error.message)).toContain(expected);
  });
});

describe.runIf(shared)('recorded refusals', () => {
  const ENDPOINTS = {
    groq: 'openai.chat',
    items: 'openai.responses',
    anthropic: 'anthropic.messages',
    gemini: 'gemini.generate',
  };
  const refused = Object.entries(ENDPOINTS).flatMap(([provider, endpoint]) =>
    cases({ endpoint }).flatMap((recording) =>
      recording.status >= 400 ? [{ provider, recording, id: recording.id }] : [],
    ),
  );

  test.each(refused)('$id reaches every client with its status and words', async ({ provider, recording }) => {
    const { body, text = '', headers } = recording.response;
    const type = body ? 'application/json' : (headers['content-type'] ?? 'text/html');
    for (const client of CLIENTS) {
      const told = await asked(
        client,
        provider,
        false,
        sent(recording.status, type, body ? JSON.stringify(body) : text),
      );
      expect([recording.id, client.format, told.status]).toEqual([recording.id, client.format, recording.status]);
      const words = isObject(body?.error) ? String(body.error.message) : '';
      expect(String(told.error.message)).toContain(words);
    }
  });

  const overflows = refused.filter(({ id, recording }) => id.includes('context-length') && recording.status === 400);

  test.each(overflows)('$id makes every client compact its conversation', async ({ provider, recording }) => {
    for (const client of CLIENTS) {
      const answer = sent(recording.status, 'application/json', JSON.stringify(recording.response.body));
      const told = await asked(client, provider, false, answer);
      expect([client.format, client.reactsTo(told.status, told.error)]).toEqual([client.format, true]);
    }
  });
});
