import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Cancellation } from '../../src/providers/cancellation.ts';
import { DirectHeaders, DirectResponse } from '../../src/providers/direct-response.ts';
import { whenComplete } from '../../src/providers/operations/pending.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { greysOf, pngOf } from '../support/png.ts';
import { serviceAccount } from '../support/service-account.ts';
import { json, silence, startUpstream, type Upstream } from '../support/upstream.ts';
import { logRow } from './log-row.ts';

// OpenAI's edits of pictures at Replicate's models and at Imagen.

let upstream: Upstream;
let tokens: Upstream;
let gateway: Gateway;
let openai: OpenAI;

beforeAll(async () => {
  upstream = await startUpstream();
  tokens = await startUpstream(json({ access_token: 'ya29.one', expires_in: 3_599, token_type: 'Bearer' }));
  const network_config = { base_url: upstream.url };
  const vertex_key_config = { region: 'us-east5', auth_credentials: serviceAccount(`${tokens.url}/token`) };
  gateway = await startGatewayHere({
    providers: {
      replicate: keyed(upstream.url, 'r8-ours'),
      impatient: {
        ...keyed(upstream.url, 'r8-ours'),
        network_config: { ...network_config, default_request_timeout_in_seconds: 1 },
        custom_provider_config: { base_provider_type: 'replicate' },
      },
      vertex: { keys: [{ name: 'v', value: '', models: ['*'], vertex_key_config }], network_config },
      gemini: keyed(upstream.url, 'AIza-ours'),
    },
  });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'theirs', maxRetries: 0 });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
  await tokens.close();
});

const said = (back = 1) => {
  const request = upstream.requests.at(-back);
  if (!request) throw new Error('nothing was asked');
  return { ...request, json: () => JSON.parse(request.body.toString()) as Record<string, unknown> };
};

const file = (text: string) => toFile(Buffer.from(text), `${text}.png`, { type: 'image/png' });
/** The left pixel of two is to be changed. */
const halfTransparent = pngOf([[9, 9, 9, 0, 9, 9, 9, 255]], { width: 2, height: 1, bitDepth: 8, colorType: 6 });
const CAT = 'data:image/png;base64,Y2F0';
const MASK = 'data:image/png;base64,bWFzaw==';

describe('Replicate', () => {
  const drawn = json({ id: 'p1', status: 'succeeded', output: ['https://r.example/a.png'] }, { status: 201 });

  test('is given the picture as a data URL, beside what else its model takes', async () => {
    upstream.answers(drawn);
    const model = 'replicate/black-forest-labs/flux-fill-pro';
    const edit = {
      model,
      prompt: '3',
      image: await file('cat'),
      mask: await file('mask'),
      n: 2,
      seed: 7,
      size: '1024x1024',
    };
    const told = await openai.images.edit(edit as OpenAI.ImageEditParamsNonStreaming);
    expect(told.data).toEqual([{ url: 'https://r.example/a.png' }]);
    expect(said().method).toBe('POST');
    expect(said().path).toBe('/v1/models/black-forest-labs/flux-fill-pro/predictions');
    expect(said().headers).toMatchObject({
      authorization: 'Bearer r8-ours',
      'content-type': 'application/json',
      prefer: 'wait=60',
    });
    expect(said().json()).toEqual({
      input: { prompt: '3', image: CAT, mask: MASK, seed: 7, num_outputs: 2, aspect_ratio: '1:1' },
    });
    expect(await logRow(gateway, 'black-forest-labs/flux-fill-pro')).toMatchObject({
      object: 'image_edit',
      provider: 'replicate',
      status: 'success',
    });
  });

  test.each([
    ['black-forest-labs/flux-kontext-pro', { input_image: CAT }],
    ['black-forest-labs/flux-1.1-pro', { image_prompt: CAT }],
    ['google/nano-banana', { image_input: [CAT, MASK] }],
    ['qwen/qwen-image-edit', { image: CAT }],
    ['openai/gpt-image-1', { input_images: [CAT, MASK] }],
  ])('%s has a field of its own for pictures', async (model, pictures) => {
    upstream.answers(drawn);
    const image = [await file('cat'), await file('mask')];
    await openai.images.edit({ model: `replicate/${model}`, prompt: 'a dog', image });
    expect(said().json()).toEqual({ input: { prompt: 'a dog', ...pictures } });
  });

  test('a picture more than the model takes stands in the ledger', async () => {
    upstream.answers(drawn);
    const image = [await file('cat'), await file('mask')];
    const told = await openai.images.edit({ model: 'replicate/x/flux-kontext-max', prompt: 'a dog', image });
    expect(told).toMatchObject({ extra_fields: { losses: [{ field: 'image', action: 'dropped' }] } });
  });

  test('fetches pictures that are said in JSON by itself', async () => {
    upstream.answers(drawn);
    const images = [{ image_url: 'https://example.com/a.png' }, CAT, { image_url: { url: MASK } }];
    await post(`${gateway.url}/v1/images/edits`, { model: 'replicate/openai/gpt-image-1.5', prompt: 'a dog', images });
    expect(said().json()).toEqual({
      input: { prompt: 'a dog', input_images: ['https://example.com/a.png', CAT, MASK] },
    });
  });

  test('a version of a model is asked for by its id', async () => {
    upstream.answers(drawn);
    const version = 'ab'.repeat(32);
    const body = { model: `replicate/owner/name:${version}`, prompt: 'a dog', image: CAT };
    expect((await post(`${gateway.url}/v1/images/edits`, body)).status).toBe(200);
    expect(said().path).toBe('/v1/predictions');
    expect(said().json()).toEqual({ version, input: { prompt: 'a dog', input_images: [CAT] } });
  });

  test('is asked again until the picture is there, and the picture itself may be the answer', async () => {
    const underWay = (status: string) => json({ id: 'p 2', status, output: null }, { status: 201 });
    upstream.answers(
      underWay('starting'),
      underWay('processing'),
      json({ id: 'p 2', status: 'succeeded', output: CAT }),
    );
    const told = await openai.images.edit({ model: 'replicate/a/b', prompt: 'a dog', image: await file('cat') });
    expect(told.data).toEqual([{ b64_json: 'Y2F0' }]);
    for (const back of [1, 2]) {
      expect(said(back)).toMatchObject({ method: 'GET', path: '/v1/predictions/p%202' });
      expect(said(back).headers.authorization).toBe('Bearer r8-ours');
      expect(said(back).headers.prefer).toBeUndefined();
    }
  });

  test('that never ends is given up in time', async () => {
    upstream.answers(json({ id: 'p3', status: 'processing' }), silence);
    const answer = await post(`${gateway.url}/v1/images/edits`, {
      model: 'impatient/a/b',
      prompt: 'a dog',
      image: CAT,
    });
    expect(answer.status).toBe(504);
    expect(await answer.text()).toContain('did not answer within 1 s');
    expect(await said().closed).toBe('cut');
  });

  test('is left alone when the client goes while it draws', async () => {
    upstream.answers(json({ id: 'p4', status: 'processing' }), silence);
    const before = upstream.requests.length;
    const leaving = new AbortController();
    const body = { model: 'replicate/a/left', prompt: 'a dog', image: CAT };
    const answer = post(`${gateway.url}/v1/images/edits`, body, {}, leaving.signal);
    await eventually(
      async () => upstream.requests.length,
      (count) => count === before + 2,
    );
    leaving.abort();
    await expect(answer).rejects.toThrow();
    expect(await said().closed).toBe('cut');
    expect(await logRow(gateway, 'a/left')).toMatchObject({ status: 'cancelled' });
  });

  test.each([
    ['a failed prediction', json({ id: 'p5', status: 'failed', error: 'NSFW content detected' }), 502, /NSFW content/],
    [
      'a refusal',
      json({ detail: 'input.image is required', status: 422 }, { status: 422 }),
      422,
      /input\.image is req/,
    ],
  ])('%s is an error in the client’s words', async (_what, answer, status, message) => {
    upstream.answers(answer);
    const edit = openai.images.edit({ model: 'replicate/a/b', prompt: 'a dog', image: await file('cat') });
    await expect(edit).rejects.toMatchObject({ status, message: expect.stringMatching(message) });
  });

  test('a file that only OpenAI has cannot be sent on', async () => {
    const body = { model: 'replicate/a/b', prompt: 'a dog', images: [{ file_id: 'file-1' }] };
    const answer = await post(`${gateway.url}/v1/images/edits`, body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/images must be a file of a form/);
  });
});

test.each([
  ['black-forest-labs/flux-fill-pro', [[255, 0]]],
  ['a/model-of-its-own', [[255, 0]]],
  ['ideogram-ai/ideogram-v3-turbo', [[0, 255]]],
])('Replicate’s %s is given the mask in its own colours', async (name, greys) => {
  upstream.answers(json({ id: 'p1', status: 'succeeded', output: ['https://r.example/a.png'] }, { status: 201 }));
  const mask = await toFile(halfTransparent, 'mask.png', { type: 'image/png' });
  await openai.images.edit({ model: `replicate/${name}`, prompt: 'a dog', image: await file('cat'), mask });
  const { input } = said().json() as { input: { mask: string } };
  const [, base64 = ''] = /^data:image\/png;base64,(.*)$/.exec(input.mask) ?? [];
  expect(greysOf(Buffer.from(base64, 'base64'))).toEqual(greys);
});

test('OpenAI’s own models at Replicate take OpenAI’s mask as it is', async () => {
  upstream.answers(json({ id: 'p1', status: 'succeeded', output: ['https://r.example/a.png'] }, { status: 201 }));
  const mask = await toFile(halfTransparent, 'mask.png', { type: 'image/png' });
  await openai.images.edit({ model: 'replicate/openai/gpt-image-1', prompt: 'x', image: await file('cat'), mask });
  expect(said().json()).toMatchObject({
    input: { mask: `data:image/png;base64,${halfTransparent.toString('base64')}` },
  });
});

describe('Imagen', () => {
  const MODEL = 'vertex/imagen-3.0-capability-001';
  const PATH = '/v1beta1/projects/proj-1/locations/us-east5/publishers/google/models/imagen-3.0-capability-001:predict';
  const drawn = json({ predictions: [{ bytesBase64Encoded: 'aGk=', mimeType: 'image/png' }] });
  const cat = {
    referenceType: 'REFERENCE_TYPE_RAW',
    referenceId: 1,
    referenceImage: { bytesBase64Encoded: 'Y2F0' },
  };

  test('changes what the mask shows', async () => {
    upstream.answers(drawn);
    const told = await openai.images.edit({
      model: MODEL,
      prompt: 'a dog',
      image: await file('cat'),
      mask: await file('mask'),
      n: 2,
      output_format: 'jpeg',
      output_compression: 80,
    });
    expect(told.data).toEqual([{ b64_json: 'aGk=' }]);
    expect(told).toMatchObject({ extra_fields: { losses: [{ field: 'mask', action: 'rewritten' }] } });
    expect([said().method, said().path]).toEqual(['POST', PATH]);
    expect(said().headers.authorization).toBe('Bearer ya29.one');
    expect(said().json()).toEqual({
      instances: [
        {
          prompt: 'a dog',
          referenceImages: [
            cat,
            {
              referenceType: 'REFERENCE_TYPE_MASK',
              referenceId: 2,
              referenceImage: { bytesBase64Encoded: 'bWFzaw==' },
              maskImageConfig: { maskMode: 'MASK_MODE_USER_PROVIDED' },
            },
          ],
        },
      ],
      parameters: {
        sampleCount: 2,
        editMode: 'EDIT_MODE_INPAINT_INSERTION',
        outputOptions: { mimeType: 'image/jpeg', compressionQuality: 80 },
      },
    });
  });

  test('is given the mask as it reads it: white is what is changed', async () => {
    upstream.answers(drawn);
    const mask = await toFile(halfTransparent, 'mask.png', { type: 'image/png' });
    await openai.images.edit({ model: MODEL, prompt: 'a dog', image: await file('cat'), mask });
    const { instances } = said().json() as unknown as {
      instances: [{ referenceImages: [unknown, { referenceImage: { bytesBase64Encoded: string } }] }];
    };
    const sent = instances[0].referenceImages[1].referenceImage.bytesBase64Encoded;
    expect(greysOf(Buffer.from(sent, 'base64'))).toEqual([[255, 0]]);
  });

  test('a mask that cannot be put into its form is refused', async () => {
    const shape = { width: 1, height: 1, bitDepth: 8, colorType: 6, interlace: 1 };
    const mask = await toFile(pngOf([[0, 0, 0, 0]], shape), 'mask.png', { type: 'image/png' });
    const edit = openai.images.edit({ model: MODEL, prompt: 'a dog', image: await file('cat'), mask });
    await expect(edit).rejects.toMatchObject({
      status: 400,
      param: 'mask',
      message: expect.stringMatching(/interlaced/),
    });
  });

  test('changes all of a picture, and tells what it was not told', async () => {
    upstream.answers(drawn);
    const edit = {
      model: MODEL,
      prompt: 'a dog',
      image: await file('cat'),
      size: '1024x1024',
      quality: 'high',
      seed: 7,
    };
    const told = await openai.images.edit(edit as OpenAI.ImageEditParamsNonStreaming);
    expect(told).toMatchObject({ extra_fields: { losses: [{ field: 'quality' }, { field: 'size' }] } });
    expect(said().json()).toEqual({
      instances: [{ prompt: 'a dog', referenceImages: [cat] }],
      parameters: { sampleCount: 1, editMode: 'EDIT_MODE_DEFAULT', seed: 7 },
    });
  });

  test('makes a mask by itself', async () => {
    upstream.answers(drawn);
    const more = { type: 'bgswap', maskMode: 'MASK_MODE_BACKGROUND', dilation: 0.05, baseSteps: 35 };
    const body = { model: MODEL, prompt: 'a beach', image: CAT, ...more };
    expect((await post(`${gateway.url}/v1/images/edits`, body)).status).toBe(200);
    expect(said().json()).toEqual({
      instances: [
        {
          prompt: 'a beach',
          referenceImages: [
            cat,
            {
              referenceType: 'REFERENCE_TYPE_MASK',
              referenceId: 2,
              maskImageConfig: { maskMode: 'MASK_MODE_BACKGROUND', dilation: 0.05 },
            },
          ],
        },
      ],
      parameters: { sampleCount: 1, editMode: 'EDIT_MODE_BGSWAP', baseSteps: 35 },
    });
  });

  test('streams as one event', async () => {
    upstream.answers(drawn);
    const types: string[] = [];
    const image = await file('cat');
    for await (const { type } of await openai.images.edit({ model: MODEL, image, prompt: 'a dog', stream: true }))
      types.push(type);
    expect(types).toEqual(['image_edit.completed']);
  });

  test.each([
    ['several pictures', MODEL, [CAT, MASK], /image can be one only/],
    [
      'pictures that it would have to fetch',
      MODEL,
      ['https://example.com/a.png'],
      /image must be a file or a data URL/,
    ],
    [
      'an edit in AI Studio, which has none',
      'gemini/imagen-4.0-generate-001',
      [CAT],
      /^image_edit is not supported by gemini provider with imagen-4\.0-generate-001/,
    ],
  ])('refuses %s', async (_what, model, image, message) => {
    const before = upstream.requests.length;
    const answer = await post(`${gateway.url}/v1/images/edits`, { model, prompt: 'a dog', image });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { message: expect.stringMatching(message) } });
    expect(upstream.requests.length).toBe(before);
  });

  test('tells what its filters said', async () => {
    upstream.answers(json({ predictions: [{ raiFilteredReason: 'Unable to show generated images' }] }));
    const edit = openai.images.edit({ model: MODEL, prompt: 'a dog', image: await file('cat') });
    await expect(edit).rejects.toMatchObject({ status: 502, message: expect.stringContaining('Unable to show') });
  });
});

test('a Gemini model is given pictures of JSON bodies too', async () => {
  upstream.answers(
    json({ candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }] } }] }),
  );
  const body = { model: 'gemini/gemini-2.5-flash-image', prompt: 'a dog', images: [{ image_url: CAT }] };
  expect((await post(`${gateway.url}/v1/images/edits`, body)).status).toBe(200);
  expect(said().json()).toMatchObject({
    contents: [{ parts: [{ text: 'a dog' }, { inlineData: { mimeType: 'image/png', data: 'Y2F0' } }] }],
  });
});

test('an answer that never comes is asked for less and less often, until the time is over', async () => {
  vi.useFakeTimers();
  try {
    const begun = new DirectResponse(
      { status: 201, statusText: '', url: '', headers: new DirectHeaders({}) },
      Buffer.alloc(0),
    );
    const askedAtMs: number[] = [];
    const startedAtMs = Date.now();
    const cancellation = new Cancellation();
    setTimeout(() => cancellation.fire(new Error('too late')), 3_000);
    const answer = whenComplete(begun, {
      pendingAt: () => '/p',
      ask: async () => {
        askedAtMs.push(Date.now() - startedAtMs);
        return begun;
      },
      cancellation,
    });
    const isOver = expect(answer).rejects.toThrow('too late');
    await vi.advanceTimersByTimeAsync(60_000);
    await isOver;
    expect(askedAtMs).toEqual([250, 625, 1_188, 2_032].map((at) => expect.closeTo(at, -1)));
  } finally {
    vi.useRealTimers();
  }
});
