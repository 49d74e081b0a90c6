import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { type Answer, json, silence, startUpstream, type Upstream } from '../support/upstream.ts';
import { logRow } from './log-row.ts';

// Requests that nobody would write down as an example, with OpenAI's SDK where it lets them through.

let upstream: Upstream;
let gateway: Gateway;
let openai: OpenAI;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: {
      openai: keyed(`${upstream.url}/v1`),
      cohere: keyed(upstream.url),
      gemini: keyed(upstream.url),
      elevenlabs: keyed(upstream.url),
      replicate: keyed(upstream.url),
      huggingface: keyed(upstream.url),
    },
  });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'theirs', maxRetries: 0 });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const sentBody = () => JSON.parse(upstream.requests.at(-1)?.body.toString() ?? '{}') as Record<string, unknown>;

const repeated = (answer: Answer, times: number): Answer[] => Array.from({ length: times }, () => answer);

/** The error of a request of which no provider hears. */
async function refused(
  path: string,
  body: object | FormData,
): Promise<{ status: number; param: unknown; message: string }> {
  const before = upstream.requests.length;
  const answer =
    body instanceof FormData
      ? await fetch(`${gateway.url}${path}`, { method: 'POST', body })
      : await post(`${gateway.url}${path}`, body);
  expect(upstream.requests.length).toBe(before);
  const { error } = (await answer.json()) as { error: { message: string; param: unknown } };
  return { status: answer.status, param: error.param, message: error.message };
}

const plain =
  (text: string, contentType = 'text/plain; charset=utf-8'): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': contentType }).end(text);

describe('embeddings', () => {
  const cohereVectors: Answer = (response, request) => {
    const { texts } = JSON.parse(request.body.toString()) as { texts: string[] };
    const embeddings = { float: texts.map((text) => [Number(text), 0.5]) };
    return json({ embeddings, meta: { billed_units: { input_tokens: 1 } } })(response, request);
  };
  const geminiVectors: Answer = (response, request) => {
    const { requests } = JSON.parse(request.body.toString()) as {
      requests: { content: { parts: [{ text: string }] } }[];
    };
    const embeddings = requests.map(({ content }) => ({ values: [Number(content.parts[0].text), 0.5] }));
    return json({ embeddings })(response, request);
  };

  test.each<[string, Answer, number]>([
    ['cohere/embed-v4.0', cohereVectors, 22],
    ['gemini/gemini-embedding-001', geminiVectors, 21],
  ])('of 2,048 inputs come back in their order from %s', async (model, answer, requests) => {
    upstream.answers(...repeated(answer, requests));
    const input = Array.from({ length: 2_048 }, (_, at) => String(at));
    for (const encoding_format of ['float', undefined] as const) {
      if (!encoding_format) upstream.answers(...repeated(answer, requests));
      const { data } = await openai.embeddings.create({ model, input, ...(encoding_format && { encoding_format }) });
      expect(data.map(({ embedding: [first] }) => first)).toEqual(input.map(Number));
      expect(data.map(({ index }) => index)).toEqual(input.map(Number));
    }
  });

  test('of token ids go to those who take them, and to nobody else', async () => {
    const data = [[1], [2]].map((embedding, index) => ({ object: 'embedding', index, embedding }));
    upstream.answers(json({ object: 'list', data, usage: { prompt_tokens: 3, total_tokens: 3 } }));
    const input = [[1, 2], [3]];
    const told = await openai.embeddings.create({ model: 'openai/e', input, encoding_format: 'float' });
    expect(told.data).toHaveLength(2);
    expect(sentBody().input).toEqual(input);
    for (const model of ['cohere/e', 'gemini/e', 'huggingface/a/e']) {
      for (const tokens of [input, [1, 2, 3]]) {
        expect(await refused('/v1/embeddings', { model, input: tokens })).toMatchObject({
          status: 400,
          param: 'input',
        });
      }
    }
  });

  test.each([
    ['dimensions', 'x'],
    ['dimensions', -1],
    ['dimensions', 0],
    ['dimensions', 1.5],
    ['dimensions', [3]],
    ['encoding_format', 'int8'],
    ['encoding_format', 5],
    ['input', ['a', 5]],
    ['input', ['a', null]],
    ['input', [{ text: 'a' }]],
  ])('with %s %j are refused', async (field, value) => {
    for (const model of ['cohere/e', 'gemini/e', 'huggingface/a/e']) {
      expect(await refused('/v1/embeddings', { model, input: 'a', [field]: value })).toMatchObject({
        status: 400,
        param: field,
      });
    }
  });

  test('with nothing where something may stand are as good as without it', async () => {
    upstream.answers(json({ embeddings: { float: [[1]] } }));
    const body = { model: 'cohere/e', input: 'a', dimensions: null, encoding_format: null };
    expect((await post(`${gateway.url}/v1/embeddings`, body)).status).toBe(200);
  });

  test.each<[string, string, Answer]>([
    ['cohere', 'cohere/e', json({ embeddings: { float: [[1]] } })],
    ['gemini', 'gemini/e', json({ embeddings: [{ values: [1] }, { values: [1] }, { values: [1] }] })],
    ['hugging face', 'huggingface/a/e', json([[1]])],
  ])('%s gives another number of vectors than inputs: an error, not a shift', async (_who, model, answer) => {
    upstream.answers(answer);
    await expect(openai.embeddings.create({ model, input: ['a', 'b'] })).rejects.toMatchObject({
      status: 502,
      message: expect.stringMatching(/vector for each input/),
    });
  });

  test('a web page in place of an answer is an error, also where answers travel untouched', async () => {
    upstream.answers(plain('<html>sign in</html>', 'text/html'));
    await expect(openai.embeddings.create({ model: 'openai/e', input: 'a' })).rejects.toMatchObject({ status: 502 });
  });

  test('asked for by a form are refused in words', async () => {
    const body = new FormData();
    body.append('model', 'openai/e');
    expect((await refused('/v1/embeddings', body)).message).toMatch(/embedding takes a JSON object, not a form/);
  });
});

describe('pictures', () => {
  const drawn = json({ predictions: [{ bytesBase64Encoded: 'aGk=' }] });

  test.each([0, -3, 1.5, 'x', [2], Number.MAX_VALUE])('n of %j is refused', async (n) => {
    for (const model of ['gemini/imagen-4', 'gemini/gemini-image', 'replicate/a/b', 'huggingface/a/b'])
      expect(await refused('/v1/images/generations', { model, prompt: 'a', n })).toMatchObject({
        status: 400,
        param: 'n',
      });
  });

  test('a huge n is the provider’s to refuse, in its own words', async () => {
    upstream.answers(
      json(
        { error: { code: 400, message: 'sampleCount must be at most 4', status: 'INVALID_ARGUMENT' } },
        { status: 400 },
      ),
    );
    const asked = openai.images.generate({ model: 'gemini/imagen-4', prompt: 'a', n: 1e9 });
    await expect(asked).rejects.toMatchObject({ status: 400, message: expect.stringContaining('at most 4') });
  });

  test.each(['0x0', '1x0', 'big', 5])('size %j is told as dropped', async (size) => {
    upstream.answers(drawn);
    const answer = await post(`${gateway.url}/v1/images/generations`, { model: 'gemini/imagen-4', prompt: 'a', size });
    expect(await answer.json()).toMatchObject({ extra_fields: { losses: [{ field: 'size', action: 'dropped' }] } });
    expect(sentBody().parameters).toEqual({ sampleCount: 1 });
  });

  test('a format that nobody knows is refused', async () => {
    const body = { model: 'gemini/imagen-4', prompt: 'a', response_format: 'gif' };
    expect(await refused('/v1/images/generations', body)).toMatchObject({ status: 400, param: 'response_format' });
  });

  test.each<[string, unknown]>([
    ['a file of no bytes', new Blob([], { type: 'image/png' })],
    ['a text that is no address', 'not a picture'],
  ])('an edit of %s is refused', async (_what, image) => {
    for (const model of ['replicate/a/b', 'gemini/gemini-image']) {
      const body = new FormData();
      for (const [name, value] of Object.entries({ model, prompt: 'a' })) body.append(name, value);
      if (image instanceof Blob) body.append('image', image, 'a.png');
      else body.append('image', String(image));
      expect(await refused('/v1/images/edits', body)).toMatchObject({ status: 400, param: 'image' });
    }
  });
});

describe('transcripts', () => {
  const sound = () => toFile(Buffer.from('RIFF'), 'a.wav', { type: 'audio/wav' });
  const words = [
    { text: 'Hello', start: 0.1, end: 0.5, type: 'word' },
    { text: ' ', start: 0.5, end: 0.6, type: 'spacing' },
    { text: 'you.', start: 0.6, end: 1, type: 'word' },
    { text: ' ', start: 1, end: 1.2, type: 'spacing' },
    { text: 'Bye', start: 1.2, end: 1.75, type: 'word' },
  ];
  const scribe = json({ language_code: 'en', text: 'Hello you. Bye', words });

  test.each([
    ['srt', '1\n00:00:00,100 --> 00:00:01,000\nHello you.\n\n2\n00:00:01,200 --> 00:00:01,750\nBye\n\n'],
    ['vtt', 'WEBVTT\n\n00:00:00.100 --> 00:00:01.000\nHello you.\n\n00:00:01.200 --> 00:00:01.750\nBye\n\n'],
    ['text', 'Hello you. Bye\n'],
  ] as const)('of ElevenLabs come as %s', async (response_format, expected) => {
    upstream.answers(scribe, scribe);
    const asked = { model: 'elevenlabs/scribe_v1', file: await sound(), response_format };
    expect(await openai.audio.transcriptions.create(asked)).toBe(expected);
    const { response } = await openai.audio.transcriptions.create(asked).withResponse();
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  test('of ElevenLabs tell all their times', async () => {
    upstream.answers(scribe);
    const told = await openai.audio.transcriptions.create({
      model: 'elevenlabs/scribe_v1',
      file: await sound(),
      response_format: 'verbose_json',
    });
    expect(told).toMatchObject({
      task: 'transcribe',
      language: 'en',
      duration: 1.75,
      text: 'Hello you. Bye',
      segments: [
        { id: 0, start: 0.1, end: 1, text: 'Hello you.' },
        { id: 1, start: 1.2, end: 1.75, text: 'Bye' },
      ],
      words: [{ word: 'Hello', start: 0.1, end: 0.5 }, { word: 'you.' }, { word: 'Bye' }],
    });
  });

  test.each(['srt', 'vtt', 'text'] as const)('of OpenAI pass as the %s they are', async (response_format) => {
    upstream.answers(plain('1\n00:00:00,000 --> 00:00:01,000\nhé\n\n'));
    const asked = { model: 'openai/whisper-1', file: await sound(), response_format };
    const { data, response } = await openai.audio.transcriptions.create(asked).withResponse();
    expect(data).toBe('1\n00:00:00,000 --> 00:00:01,000\nhé\n\n');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  test.each([
    ['elevenlabs/scribe_v1', 'gif'],
    ['elevenlabs/scribe_v1', 'diarized_json'],
    ['gemini/gemini-2.5-flash', 'srt'],
    ['gemini/gemini-2.5-flash', 'gif'],
    ['huggingface/a/whisper', 'vtt'],
  ])('%s gives no %s, and says what it gives', async (model, format) => {
    const body = new FormData();
    for (const [name, value] of Object.entries({ model, response_format: format })) body.append(name, value);
    body.append('file', new Blob(['RIFF']), 'a.wav');
    expect(await refused('/v1/audio/transcriptions', body)).toMatchObject({
      status: 400,
      param: 'response_format',
      message: expect.stringMatching(/use json, text, verbose_json/),
    });
  });

  test('without times say so', async () => {
    upstream.answers(json({ candidates: [{ content: { parts: [{ text: 'hello' }] } }] }));
    const asked = { model: 'gemini/gemini-2.5-flash', file: await sound(), response_format: 'verbose_json' } as const;
    expect(await openai.audio.transcriptions.create(asked)).toMatchObject({
      text: 'hello',
      extra_fields: { losses: [{ field: 'response_format', action: 'rewritten' }] },
    });
  });

  test.each([
    [
      'silence is an empty text',
      { candidates: [{ content: { role: 'model' }, finishReason: 'STOP' }] },
      200,
      /"text":""/,
    ],
    ['a refusal tells why', { candidates: [{ finishReason: 'PROHIBITED_CONTENT' }] }, 502, /PROHIBITED_CONTENT/],
    ['a blocked prompt tells why', { promptFeedback: { blockReason: 'SAFETY' } }, 502, /SAFETY/],
  ])('at Gemini %s', async (_what, answer, status, words) => {
    upstream.answers(json(answer));
    const body = new FormData();
    body.append('model', 'gemini/gemini-2.5-flash');
    body.append('file', new Blob(['RIFF']), 'a.wav');
    const told = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body });
    expect(told.status).toBe(status);
    expect(await told.text()).toMatch(words);
  });

  test('of a file of no bytes are refused; of several files the first is taken and the others are told', async () => {
    const form = (...files: readonly string[]) => {
      const body = new FormData();
      body.append('model', 'gemini/gemini-2.5-flash');
      for (const text of files) body.append('file', new Blob([text], { type: 'audio/wav' }), 'a.wav');
      return body;
    };
    expect(await refused('/v1/audio/transcriptions', form(''))).toMatchObject({ status: 400, param: 'file' });
    upstream.answers(json({ candidates: [{ content: { parts: [{ text: 'one' }] } }] }));
    const told = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form('one', 'two') });
    expect(await told.json()).toMatchObject({ extra_fields: { losses: [{ field: 'file', action: 'dropped' }] } });
  });

  test.each(['true', 'True', '1'])('stream=%s is a stream', async (stream) => {
    upstream.answers(scribe);
    const body = new FormData();
    for (const [name, value] of Object.entries({ model: 'elevenlabs/scribe_v1', stream })) body.append(name, value);
    body.append('file', new Blob(['RIFF']), 'a.wav');
    const told = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body });
    expect(told.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await told.text()).toMatch(/transcript\.text\.done/);
  });
});

describe('speech', () => {
  test.each([
    ['elevenlabs/e', 5],
    ['elevenlabs/e', 'gif'],
    ['gemini/g', ['wav']],
    ['gemini/g', 'mp3'],
  ])('of %s as %j is refused', async (model, response_format) => {
    const body = { model, input: 'a', voice: 'v', response_format };
    expect(await refused('/v1/audio/speech', body)).toMatchObject({ status: 400, param: 'response_format' });
  });

  test('that breaks off is no sound that ends', async () => {
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.write('abc', () => response.destroy());
    });
    const listen = async () => {
      const told = await openai.audio.speech.create({ model: 'openai/tts-broken', input: 'a', voice: 'alloy' });
      return told.arrayBuffer();
    };
    await expect(listen()).rejects.toThrow();
    expect(await logRow(gateway, 'tts-broken')).toMatchObject({ status: 'error' });
  });
});

describe('reranking', () => {
  const asked = { model: 'cohere/rerank-v3.5', query: 'q', documents: ['a', 'b'] };

  test.each([[1, 2], [null, 'a'], [['a']], [true]])('documents %j, %j are refused', async (...documents) => {
    expect(await refused('/v1/rerank', { ...asked, documents })).toMatchObject({ status: 400, param: 'documents' });
  });

  test('documents of other fields are ranked by all that they say', async () => {
    upstream.answers(json({ results: [{ index: 0, relevance_score: 0.5 }] }));
    await post(`${gateway.url}/v1/rerank`, {
      ...asked,
      documents: [
        { title: 't', body: 'b' },
        { text: 'x', y: 1 },
      ],
    });
    expect(sentBody().documents).toEqual(['{"title":"t","body":"b"}', 'x']);
  });

  test.each([7, -1, 0.5 + 7])('a place %d that no document has is an error', async (index) => {
    upstream.answers(json({ results: [{ index, relevance_score: 0.5 }] }));
    const answer = await post(`${gateway.url}/v1/rerank`, { ...asked, return_documents: true });
    expect(answer.status).toBe(502);
    expect(await answer.text()).toMatch(/ranked document/);
  });
});

test.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
  ['left-embedding', (signal) => openai.embeddings.create({ model: 'openai/left-embedding', input: 'a' }, { signal })],
  ['left-image', (signal) => openai.images.generate({ model: 'openai/left-image', prompt: 'a' }, { signal })],
  [
    'left-speech',
    (signal) => openai.audio.speech.create({ model: 'openai/left-speech', input: 'a', voice: 'v' }, { signal }),
  ],
  [
    'left-sound',
    async (signal) =>
      openai.audio.transcriptions.create(
        { model: 'elevenlabs/left-sound', file: await toFile(Buffer.from('RIFF'), 'a.wav') },
        { signal },
      ),
  ],
  [
    'left-many',
    (signal) => openai.embeddings.create({ model: 'gemini/left-many', input: Array(101).fill('a') }, { signal }),
  ],
])('a client that leaves ends what it asked for: %s', async (model, ask) => {
  upstream.answers(silence);
  const before = upstream.requests.length;
  const leaving = new AbortController();
  const answer = ask(leaving.signal);
  answer.catch(() => {});
  await eventually(
    async () => upstream.requests.length,
    (count) => count === before + 1,
  );
  leaving.abort();
  await expect(answer).rejects.toThrow(/aborted/);
  expect(await upstream.requests.at(-1)?.closed).toBe('cut');
  expect(await logRow(gateway, model)).toMatchObject({ status: 'cancelled' });
});
