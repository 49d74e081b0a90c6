import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import { type Answer, json, sse, startUpstream, type Upstream } from '../support/upstream.ts';
import { logRow } from './log-row.ts';

// Transcripts, speech and pictures that are asked for as streams: live and byte for byte where the provider streams,
// one event of everything where it does not, and never cut in silence.

let upstream: Upstream;
let gateway: Gateway;
let openai: OpenAI;

beforeAll(async () => {
  upstream = await startUpstream();
  const here = keyed(`${upstream.url}/v1`);
  const azure_key_config = { endpoint: upstream.url, api_version: '2025-03-01-preview' };
  gateway = await startGatewayHere({
    providers: {
      openai: here,
      azure: { keys: [{ name: 'a', value: 'az-ours', models: ['*'], azure_key_config }] },
      groq: keyed(upstream.url),
      mistral: here,
      xai: here,
      vllm: { keys: [{ name: 'v', value: '', models: ['*'], vllm_key_config: { url: upstream.url } }] },
      mine: { ...here, custom_provider_config: { base_provider_type: 'openai' } },
      elevenlabs: keyed(upstream.url),
      gemini: keyed(upstream.url),
      replicate: keyed(upstream.url),
    },
  });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'theirs', maxRetries: 0 });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const said = () => upstream.requests.at(-1);

const event = (body: object): string => `data: ${JSON.stringify(body)}\n\n`;
const named = (body: { type: string; [more: string]: unknown }): string => `event: ${body.type}\n${event(body)}`;

/** Answers piece by piece, each when it is told to go on. */
function stepwise(pieces: readonly string[]): { answer: Answer; next: () => void } {
  let at = 0;
  let goOn: () => void = () => {};
  let told = 0;
  return {
    answer: async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of pieces) {
        if (at >= told) {
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
        }
        at += 1;
        response.write(piece);
      }
      response.end();
    },
    next: () => {
      told += 1;
      goOn();
    },
  };
}

const sound = () => toFile(Buffer.from('RIFF sound'), 'said.wav', { type: 'audio/wav' });

async function form(fields: Readonly<Record<string, string>>): Promise<FormData> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('file', new Blob(['RIFF sound'], { type: 'audio/wav' }), 'said.wav');
  return body;
}

const transcribed = async (model: string) =>
  openai.audio.transcriptions.create({ model, file: await sound(), stream: true });

async function all<Event>(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const each of stream) events.push(each);
  return events;
}

/** Whatever came, or the error in place of it or at its end. */
const read = async (model: string) => all(await transcribed(model));

const DELTAS = ['Grüß ', 'dich, ', 'Wélt 🌍'].map((delta) => ({ type: 'transcript.text.delta', delta }));
const SEGMENT = { type: 'transcript.text.segment', id: 's', start: 0, end: 1.5, speaker: 'A', text: 'Grüß dich' };
const tokens = { type: 'tokens', input_tokens: 14, input_token_details: { audio_tokens: 14 }, output_tokens: 101 };
const done = (usage?: object) => ({
  type: 'transcript.text.done',
  text: 'Grüß dich, Wélt 🌍',
  ...(usage && { usage }),
});

describe('a transcript', () => {
  test.each([
    ['openai/gpt-4o-transcribe', '/v1/audio/transcriptions'],
    ['azure/my-transcribe', '/openai/v1/audio/transcriptions'],
    ['groq/whisper-large-v3', '/openai/v1/audio/transcriptions'],
    ['mine/my-whisper', '/v1/audio/transcriptions'],
  ])('of %s comes live, each event when the provider says it', async (model, path) => {
    const pieces = [...DELTAS, SEGMENT, done(tokens)];
    const { answer, next } = stepwise(pieces.map(event));
    upstream.answers(answer);
    const answered = transcribed(model);
    next();
    const events = (await answered)[Symbol.asyncIterator]();
    for (const piece of pieces) {
      expect((await events.next()).value).toEqual(piece);
      next();
    }
    expect((await events.next()).done).toBe(true);
    expect(said()?.path).toContain(path.replace('/openai/v1', ''));
    expect(said()?.body.toString('latin1')).toMatch(/name="stream"\r\n\r\ntrue\r\n/);
    const row = await logRow(gateway, model.slice(model.indexOf('/') + 1));
    expect(row).toMatchObject({
      object: 'transcription_stream',
      stream: true,
      status: 'success',
      token_usage: { prompt_tokens: 14, completion_tokens: 101 },
      time_to_first_token: expect.any(Number),
    });
    expect(Number(row.time_to_first_token)).toBeLessThanOrEqual(Number(row.latency));
  });

  test.each(['/v1', '/openai/v1', '/openai', '/litellm/v1'])(
    'below %s is byte for byte what the provider wrote',
    async (base) => {
      const text = `: hello\n\n${DELTAS.map(named).join('')}${event(SEGMENT)}data: { "type":"transcript.text.done" ,"text":"x","future":1.0}\n\ndata: [DONE]\n\n`;
      upstream.answers(sse([...text.matchAll(/[\s\S]{1,7}/gu)].map(([piece]) => piece)));
      const body = await form({ model: 'openai/gpt-4o-mini-transcribe', stream: 'true' });
      const answer = await fetch(`${gateway.url}${base}/audio/transcriptions`, { method: 'POST', body });
      expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
      expect(await answer.text()).toBe(text);
    },
  );

  test('that is counted in seconds says so in the log', async () => {
    upstream.answers(sse([event(DELTAS[0] ?? {}), event(done({ type: 'duration', seconds: 9 }))]));
    await all(await transcribed('openai/whisper-seconds'));
    expect(await logRow(gateway, 'whisper-seconds')).toMatchObject({
      token_usage: null,
      cost: null,
      metadata: { audio_seconds: '9' },
    });
    upstream.answers(json({ text: 'x', usage: { type: 'duration', seconds: 12.5 } }));
    await openai.audio.transcriptions.create({ model: 'openai/whisper-whole', file: await sound() });
    expect(await logRow(gateway, 'whisper-whole')).toMatchObject({ metadata: { audio_seconds: '12.5' } });
  });

  test.each([
    ['ends too soon', sse([event(DELTAS[0] ?? {})]), /ended before it was complete/],
    [
      'breaks',
      sse([event(DELTAS[0] ?? {})], 'cut'),
      /ended before it was complete|broke|terminated|reset|aborted|closed/i,
    ],
    [
      'tells of an error',
      sse([event(DELTAS[0] ?? {}), event({ error: { message: 'no more sound' } })]),
      /no more sound/,
    ],
  ])('that %s is an error, never the end', async (what, answer, words) => {
    upstream.answers(answer);
    const model = `cut-${what.replaceAll(' ', '-')}`;
    await expect(read(`openai/${model}`)).rejects.toThrow(words);
    const row = await logRow(gateway, model);
    if (what !== 'tells of an error') expect(row.status).toBe('error');
  });

  test('whose first event is an error is a status', async () => {
    upstream.answers(sse([event({ error: { message: 'bad sound', type: 'invalid_request_error' } })]));
    await expect(transcribed('openai/first-error')).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('bad sound'),
    });
  });

  test('left in the middle ends the request upstream', async () => {
    const { answer, next } = stepwise(DELTAS.map(event));
    upstream.answers(answer);
    const answered = transcribed('openai/left-early');
    next();
    for await (const _event of await answered) break;
    expect(await said()?.closed).toBe('cut');
    expect(await logRow(gateway, 'left-early')).toMatchObject({ status: 'cancelled' });
    next();
    next();
  });

  describe('of a provider that gave it whole is one delta and the end', () => {
    const WHOLE = [
      { type: 'transcript.text.delta', delta: 'hello' },
      { type: 'transcript.text.done', text: 'hello' },
    ];

    test.each<[string, Answer, object?]>([
      ['elevenlabs/scribe_v1', json({ text: 'hello', language_code: 'en', words: [] })],
      [
        'gemini/gemini-2.5-flash',
        json({
          candidates: [{ content: { parts: [{ text: 'hello' }] } }],
          usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 },
        }),
        { type: 'tokens', input_tokens: 5, output_tokens: 2, total_tokens: 7 },
      ],
      ['groq/whisper-large-v3-turbo', json({ text: 'hello', x_groq: { id: 'r' } })],
      [
        'openai/whisper-1',
        json({ text: 'hello', usage: { type: 'duration', seconds: 3 } }),
        { type: 'duration', seconds: 3 },
      ],
    ])('%s', async (model, answer, usage) => {
      upstream.answers(answer);
      const [delta, end] = WHOLE;
      expect(await all(await transcribed(model))).toMatchObject([delta, { ...end, ...(usage && { usage }) }]);
      expect(await logRow(gateway, model.split('/')[1] ?? '')).toMatchObject({
        object: 'transcription_stream',
        status: 'success',
      });
    });

    test('and says how it was translated, where it was', async () => {
      upstream.answers(json({ text: 'hello', words: [] }));
      const ask = { model: 'elevenlabs/scribe_v2', file: await sound(), stream: true, prompt: 'names' } as const;
      expect(await all(await openai.audio.transcriptions.create(ask))).toMatchObject([
        { extra_fields: { provider: 'elevenlabs', chunk_index: 0 } },
        { extra_fields: { chunk_index: 1, losses: [{ field: 'prompt', action: 'dropped' }] } },
      ]);
      upstream.answers(json({ text: 'hello' }));
      for (const each of await all(await transcribed('groq/whisper-plain'))) {
        expect(each).not.toHaveProperty('extra_fields');
      }
    });

    test('with its segments, where it tells speakers apart', async () => {
      upstream.answers(json({ text: 'hello', duration: 2, segments: [SEGMENT] }));
      const told = await all(await transcribed('openai/diarizing'));
      expect(told).toEqual([WHOLE[0], SEGMENT, WHOLE[1]]);
    });

    test('also where it is a text', async () => {
      upstream.answers((response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('hello\n'));
      expect(await all(await transcribed('openai/as-text'))).toEqual(WHOLE);
    });

    test('and the provider’s own words, where it is an error under a good status', async () => {
      upstream.answers(json({ error: { message: 'this model hears nothing', type: 'invalid_request_error' } }));
      await expect(transcribed('openai/deaf')).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('this model hears nothing'),
      });
    });

    test('and without a text an error', async () => {
      upstream.answers(json({ task: 'none' }));
      await expect(transcribed('openai/no-text')).rejects.toMatchObject({ status: 502 });
    });
  });

  describe('in another server’s words is told in OpenAI’s', () => {
    const chunk = (more: object) => event({ id: 'trsc-1', object: 'transcription.chunk', ...more });
    const content = (text: string, finish_reason: string | null = null) =>
      chunk({ choices: [{ delta: { content: text }, finish_reason }] });

    test('vLLM', async () => {
      const usage = { prompt_tokens: 8, completion_tokens: 3, total_tokens: 11 };
      upstream.answers(
        sse([content('Hello'), content(' you', 'stop'), chunk({ choices: [], usage }), 'data: [DONE]\n\n']),
      );
      expect(await all(await transcribed('vllm/whisper'))).toEqual([
        { type: 'transcript.text.delta', delta: 'Hello' },
        { type: 'transcript.text.delta', delta: ' you' },
        {
          type: 'transcript.text.done',
          text: 'Hello you',
          usage: { type: 'tokens', input_tokens: 8, output_tokens: 3, total_tokens: 11 },
        },
      ]);
      expect(await logRow(gateway, 'whisper')).toMatchObject({ token_usage: { prompt_tokens: 8 } });
    });

    test('Mistral', async () => {
      const usage = { prompt_audio_seconds: 4, prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
      upstream.answers(
        sse([
          named({ type: 'transcription.language', audio_language: 'en' }),
          named({ type: 'transcription.text.delta', text: 'Hello' }),
          named({ type: 'transcription.segment', text: 'Hello', start: 0, end: 1 }),
          named({ type: 'transcription.done', text: 'Hello', language: 'en', usage }),
        ]),
      );
      expect(await all(await transcribed('mistral/voxtral-mini-latest'))).toEqual([
        { type: 'transcript.text.delta', delta: 'Hello' },
        { type: 'transcript.text.segment', id: 'seg_0', start: 0, end: 1, text: 'Hello', speaker: '' },
        {
          type: 'transcript.text.done',
          text: 'Hello',
          usage: { type: 'tokens', input_tokens: 5, output_tokens: 2, total_tokens: 7 },
        },
      ]);
      expect(await logRow(gateway, 'voxtral-mini-latest')).toMatchObject({
        token_usage: { prompt_tokens: 5, completion_tokens: 2 },
        metadata: { audio_seconds: '4' },
      });
    });

    test.each([
      ['ends too soon', sse([content('Hello')]), /ended before it was complete/],
      ['tells of an error', sse([content('Hello'), event({ error: { message: 'out of memory' } })]), /out of memory/],
    ])('and is an error when it %s', async (_what, answer, words) => {
      upstream.answers(answer);
      await expect(read('vllm/broken')).rejects.toThrow(words);
    });
  });
});

describe('pictures', () => {
  const partial = (index: number) => ({
    type: 'image_generation.partial_image',
    b64_json: Buffer.alloc(90_000, index).toString('base64'),
    partial_image_index: index,
  });
  const usage = { input_tokens: 5, output_tokens: 300, total_tokens: 305 };

  test.each(['generations', 'edits'] as const)('in part come live: %s', async (verb) => {
    const prefix = verb === 'edits' ? 'image_edit' : 'image_generation';
    const pieces = [
      { ...partial(0), type: `${prefix}.partial_image` },
      { ...partial(1), type: `${prefix}.partial_image` },
      { type: `${prefix}.completed`, b64_json: Buffer.alloc(90_000, 7).toString('base64'), usage },
    ];
    const { answer, next } = stepwise(pieces.map(named));
    upstream.answers(answer);
    const model = `openai/gpt-image-${verb}`;
    const ask = { model, prompt: 'a cat', stream: true, partial_images: 2 } as const;
    const answered: Promise<AsyncIterable<unknown>> =
      verb === 'edits' ? openai.images.edit({ ...ask, image: await sound() }) : openai.images.generate(ask);
    next();
    const events = (await answered)[Symbol.asyncIterator]();
    for (const piece of pieces) {
      expect((await events.next()).value).toEqual(piece);
      next();
    }
    expect((await events.next()).done).toBe(true);
    expect(await logRow(gateway, `gpt-image-${verb}`)).toMatchObject({
      stream: true,
      token_usage: { prompt_tokens: 5, completion_tokens: 300 },
    });
  });

  test('cut in the middle are an error', async () => {
    upstream.answers(sse([named(partial(0))], 'cut'));
    const stream = await openai.images.generate({ model: 'openai/gpt-image-1', prompt: 'a cat', stream: true });
    await expect(all(stream)).rejects.toThrow();
  });

  const drawn = (text: string) => ({
    type: 'image_generation.completed',
    b64_json: Buffer.from(text).toString('base64'),
  });
  const ask = (n: number) => openai.images.generate({ model: 'openai/gpt-image-1', prompt: 'a cat', stream: true, n });

  test('that are several are whole when all have come', async () => {
    upstream.answers(sse([named(drawn('a')), named(drawn('b'))], 'open'));
    expect(await all(await ask(2))).toEqual([drawn('a'), drawn('b')]);
  });

  test('of which the last was cut are an error', async () => {
    upstream.answers(sse([named(drawn('a'))], 'cut'));
    const read = async () => all(await ask(2));
    await expect(read()).rejects.toThrow();
  });

  test('that are fewer than asked for, and properly ended, are all there are', async () => {
    upstream.answers(sse([named(drawn('a'))]));
    expect(await all(await ask(2))).toEqual([drawn('a')]);
  });

  test('in part are asked of nobody who gives none', async () => {
    upstream.answers(json({ status: 'succeeded', output: ['https://r.example/a.png'] }));
    const model = 'replicate/a/b';
    const stream = await openai.images.generate({ model, prompt: 'a cat', stream: true, partial_images: 2 });
    expect(await all(stream)).toMatchObject([{ type: 'image_generation.completed', url: 'https://r.example/a.png' }]);
    expect(JSON.parse(said()?.body.toString() ?? '')).toEqual({ input: { prompt: 'a cat' } });
    expect(await logRow(gateway, 'a/b')).toMatchObject({ losses: [{ field: 'partial_images', action: 'dropped' }] });
  });

  test('that a provider of OpenAI’s format gave whole are the last event', async () => {
    upstream.answers(json({ created: 5, data: [{ b64_json: 'aGk=' }], usage, size: '1024x1024' }));
    const stream = await openai.images.generate({ model: 'xai/grok-2-image', prompt: 'a cat', stream: true });
    expect(await all(stream)).toEqual([
      { type: 'image_generation.completed', created_at: 5, size: '1024x1024', b64_json: 'aGk=', usage },
    ]);
  });
});

describe('completions of text', () => {
  const chunk = (index: number, finish_reason: string | null = null) =>
    event({ object: 'text_completion', choices: [{ index, text: 'x', finish_reason }] });

  test.each([
    ['two of a prompt', { prompt: 'a', n: 2 }],
    ['one of each of two prompts', { prompt: ['a', 'b'] }],
    ['one of each of two prompts in tokens', { prompt: [[1, 2], [3]] }],
  ])('%s, one of them cut, are an error', async (_what, more) => {
    const ask = () => openai.completions.create({ model: 'openai/babbage-002', stream: true, ...more });
    upstream.answers(sse([chunk(0), chunk(1), chunk(0, 'stop')]));
    const cut = await ask();
    await expect(all(cut)).rejects.toThrow(/ended before it was complete/);
    upstream.answers(sse([chunk(0), chunk(1), chunk(0, 'stop'), chunk(1, 'stop')]));
    expect(await all(await ask())).toHaveLength(4);
  });

  test('one of a prompt in tokens is whole when it says so', async () => {
    upstream.answers(sse([chunk(0), chunk(0, 'stop')]));
    const stream = await openai.completions.create({ model: 'openai/babbage-002', stream: true, prompt: [1, 2, 3] });
    expect(await all(stream)).toHaveLength(2);
  });
});

describe('speech', () => {
  const audio = (text: string) => ({ type: 'speech.audio.delta', audio: Buffer.from(text).toString('base64') });
  const spoken = { type: 'speech.audio.done', usage: { input_tokens: 4, output_tokens: 50, total_tokens: 54 } };
  const ask = (model: string) =>
    openai.audio.speech.create({ model, voice: 'alloy', input: 'hi', stream_format: 'sse' });

  test('comes live as events', async () => {
    const pieces = [audio('one'), audio('two'), spoken].map(event);
    const { answer, next } = stepwise(pieces);
    upstream.answers(answer);
    const answered = ask('openai/gpt-4o-mini-tts');
    next();
    const reader = (await answered).body?.getReader();
    for (const piece of pieces) {
      const { value } = (await reader?.read()) ?? {};
      expect(Buffer.from(value ?? []).toString()).toBe(piece);
      next();
    }
    expect((await reader?.read())?.done).toBe(true);
    expect(await logRow(gateway, 'gpt-4o-mini-tts')).toMatchObject({
      object: 'speech_stream',
      token_usage: { prompt_tokens: 4, completion_tokens: 50 },
    });
  });

  test('cut in the middle is an error event', async () => {
    upstream.answers(sse([event(audio('one'))]));
    expect(await (await ask('openai/tts-cut')).text()).toMatch(
      /^data: \{"type":"speech.*\n\ndata: \{.*"error".*ended before/,
    );
  });

  test('of a model that gives sound only is told as events', async () => {
    upstream.answers((response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound'));
    const events = (await (await ask('openai/tts-1')).text()).split('\n\n');
    expect(events[0]).toBe(event(audio('sound')).trim());
    expect(events[1]).toMatch(/speech\.audio\.done/);
  });
});
