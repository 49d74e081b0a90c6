import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, sse, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGatewayHere({
    providers: { openai: keyed(`${upstream.url}/v1`, 'sk-ours'), anthropic: keyed(upstream.url) },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const client = () => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-theirs', maxRetries: 0 });

const whole = (id: string) => ({
  id,
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt-5',
  output: [],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
});

const said = () => upstream.requests.at(-1);

describe('a stored response', () => {
  test('is asked of the provider that made it', async () => {
    upstream.answers(json(whole('resp_made')), json(whole('resp_made')));
    await client().responses.create({ model: 'openai/gpt-5', input: 'hi' });
    const again = await client().responses.retrieve('resp_made');
    expect(again.id).toBe('resp_made');
    expect(said()).toMatchObject({ method: 'GET', path: '/v1/responses/resp_made' });
    expect(said()?.headers.authorization).toBe('Bearer sk-ours');
  });

  test('is remembered from a stream as well', async () => {
    const created = { type: 'response.created', response: { ...whole('resp_streamed'), status: 'in_progress' } };
    const completed = { type: 'response.completed', response: whole('resp_streamed') };
    const events = [created, completed].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    upstream.answers(sse(events), json({ id: 'resp_streamed', deleted: true }));
    const stream = await client().responses.create({ model: 'openai/gpt-5', input: 'hi', stream: true });
    for await (const _event of stream);
    await client().responses.delete('resp_streamed');
    expect(said()).toMatchObject({ method: 'DELETE', path: '/v1/responses/resp_streamed' });
  });

  test('is cancelled, and its input is listed, with the query as it came', async () => {
    upstream.answers(json(whole('resp_other')), json({ object: 'list', data: [], has_more: false }));
    await client().post('/responses/resp_other/cancel?provider=openai');
    expect(said()).toMatchObject({ method: 'POST', path: '/v1/responses/resp_other/cancel' });
    const listed = await fetch(`${gateway.url}/openai/responses/resp_other/input_items?limit=5&provider=openai`);
    expect(listed.status).toBe(200);
    expect(said()).toMatchObject({ method: 'GET', path: '/v1/responses/resp_other/input_items?limit=5' });
  });

  test('of which nothing is known must be asked for with its provider', async () => {
    await expect(client().responses.retrieve('resp_unknown')).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('add ?provider=openai'),
    });
  });

  test('cannot be asked of a provider that keeps none', async () => {
    const answer = await fetch(`${gateway.url}/v1/responses/resp_x?provider=anthropic`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('responses_retrieve is not supported by anthropic provider');
  });

  test('streams its events again', async () => {
    const completed = { type: 'response.completed', response: whole('resp_made') };
    upstream.answers(sse([`event: response.completed\ndata: ${JSON.stringify(completed)}\n\n`]));
    const answer = await fetch(`${gateway.url}/v1/responses/resp_made?stream=true`);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(await answer.text()).toContain('response.completed');
  });
});

describe('the Responses API beside answers', () => {
  test('counts at the provider, and estimates where it cannot', async () => {
    upstream.answers(
      json({ object: 'response.input_tokens', input_tokens: 42 }),
      json({ error: { message: 'no such path' } }, { status: 404 }),
    );
    const ask = async () =>
      (await client().post('/responses/input_tokens', { body: { model: 'openai/gpt-5', input: 'hi there' } })) as {
        object: string;
        input_tokens: number;
      };
    expect(await ask()).toEqual({ object: 'response.input_tokens', input_tokens: 42 });
    expect(said()?.path).toBe('/v1/responses/input_tokens');
    const estimated = await ask();
    expect(estimated.object).toBe('response.input_tokens');
    expect(estimated.input_tokens).toBeGreaterThan(0);
  });

  test('compacts at a provider that can', async () => {
    upstream.answers(json({ id: 'resp_c', object: 'response.compaction', output: [], future: true }));
    const body = '{ "model": "openai/gpt-5-codex", "input": [], "future_field": 1.0 }';
    const answer = await post(`${gateway.url}/openai/v1/responses/compact`, body);
    expect(await answer.json()).toMatchObject({ future: true });
    expect(said()?.body.toString()).toBe(body.replace('openai/', ''));
    const refused = await post(`${gateway.url}/v1/responses/compact`, {
      model: 'anthropic/claude-sonnet-4',
      input: [],
    });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('responses_compact is not supported by anthropic provider');
  });
});

describe('files and batches', () => {
  test('go to the provider that is named, which is told nothing of the name', async () => {
    upstream.answers(json({ object: 'list', data: [] }), json({ id: 'batch_1', object: 'batch' }));
    await fetch(`${gateway.url}/v1/files?provider=openai&purpose=batch`);
    expect(said()).toMatchObject({ method: 'GET', path: '/v1/files?purpose=batch' });
    await post(`${gateway.url}/v1/batches`, { provider: 'openai', input_file_id: 'file-1' });
    expect(JSON.parse(said()?.body.toString() ?? '')).toEqual({ input_file_id: 'file-1' });
  });

  test('of nobody in particular are refused with the name of the operation', async () => {
    const answer = await fetch(`${gateway.url}/v1/files`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('file_list needs to know the provider');
  });

  test('are uploaded as the form they came in', async () => {
    upstream.answers(json({ id: 'file-1', object: 'file' }));
    const form = new FormData();
    form.append('purpose', 'batch');
    form.append('provider', 'openai');
    form.append('file', new Blob(['{"a":1}\n'], { type: 'application/jsonl' }), 'in.jsonl');
    const answer = await fetch(`${gateway.url}/v1/files`, { method: 'POST', body: form });
    expect(await answer.json()).toMatchObject({ id: 'file-1' });
    const body = said()?.body.toString() ?? '';
    expect(body).toContain('filename="in.jsonl"');
    expect(body).toContain('{"a":1}\n');
    expect(body).not.toContain('name="provider"');
  });

  test('are read as the bytes they are', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    upstream.answers((response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(bytes);
    });
    const answer = await fetch(`${gateway.url}/v1/files/file-1/content?provider=openai`);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
  });
});
