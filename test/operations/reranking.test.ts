import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { googleRankingWire } from '../../src/providers/vertex/ranking.ts';
import { type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { serviceAccount } from '../support/service-account.ts';
import { type Answer, json, startUpstream, type Upstream } from '../support/upstream.ts';
import { logRow } from './log-row.ts';

// Google's Ranking API, as a provider of every client of reranking and as a client of every reranker.

let upstream: Upstream;
let tokens: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  tokens = await startUpstream(json({ access_token: 'ya29.one', expires_in: 3_599, token_type: 'Bearer' }));
  const network_config = { base_url: upstream.url };
  const vertex_key_config = { region: 'us-east5', auth_credentials: serviceAccount(`${tokens.url}/token`) };
  gateway = await startGatewayHere({
    providers: {
      vertex: {
        keys: [
          { name: 'v', value: '', models: ['*'], blacklisted_models: ['express'], vertex_key_config },
          { name: 'x', value: 'express-ours', models: ['express'] },
        ],
        network_config,
      },
      cohere: keyed(upstream.url, 'co-ours'),
      vllm: keyed(`${upstream.url}/v1`, 'vllm-ours'),
    },
  });
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

const RANK = '/v1/projects/proj-1/locations/global/rankingConfigs/default_ranking_config:rank';
const MODEL = 'vertex/semantic-ranker-default@latest';
const asked = { model: MODEL, query: 'what is red?', documents: ['the sky', 'a rose'] };

const rerank = async (body: object, path = '/v1/rerank') => {
  const answer = await post(`${gateway.url}${path}`, body, { authorization: 'Bearer theirs' });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

describe('reranking at vertex', () => {
  test('asks the Ranking API in the key’s project and under its token', async () => {
    upstream.answers(json({ records: [{ id: '1', score: 0.97 }, { id: '0' }] }));
    const told = await rerank({ ...asked, top_n: 2 });
    expect(told.status).toBe(200);
    expect(told.body.results).toEqual([
      { index: 1, relevance_score: 0.97 },
      // a score of 0 is left out of Google's JSON
      { index: 0, relevance_score: 0 },
    ]);
    expect(said().method).toBe('POST');
    expect(said().path).toBe(RANK);
    expect(said().headers).toMatchObject({
      authorization: 'Bearer ya29.one',
      'content-type': 'application/json',
      'x-goog-user-project': 'proj-1',
    });
    expect(JSON.stringify(said().headers)).not.toContain('theirs');
    expect(said().json()).toEqual({
      model: 'semantic-ranker-default@latest',
      query: 'what is red?',
      records: [
        { id: '0', content: 'the sky' },
        { id: '1', content: 'a rose' },
      ],
      topN: 2,
      ignoreRecordDetailsInResponse: true,
    });
  });

  test('gives the documents back where that is asked for, and tells their titles', async () => {
    upstream.answers(json({ records: [{ id: '0', score: 0.5 }] }));
    const documents = [{ text: 'a rose', meta: { title: 'Flowers' } }];
    const told = await rerank({ ...asked, documents, return_documents: true, user_labels: { team: 'a' } });
    expect(told.body).toMatchObject({
      model: MODEL,
      results: [{ index: 0, relevance_score: 0.5, document: { text: 'a rose' } }],
    });
    expect(said().json()).toMatchObject({
      records: [{ id: '0', title: 'Flowers', content: 'a rose' }],
      userLabels: { team: 'a' },
    });
  });

  test('what it has no word for stands in the ledger', async () => {
    upstream.answers(json({ records: [] }));
    const told = await rerank({ ...asked, max_tokens_per_doc: 100, priority: 1 });
    expect(told.body.results).toEqual([]);
    expect(told.body.extra_fields).toMatchObject({
      provider: 'vertex',
      losses: [
        { field: 'max_tokens_per_doc', action: 'dropped' },
        { field: 'priority', action: 'dropped' },
      ],
    });
    expect(said().json()).not.toHaveProperty('priority');
  });

  test('more documents than one request takes are several, whose results are sorted together', async () => {
    const scoreEach: Answer = (response, request) => {
      const { records } = JSON.parse(request.body.toString()) as { records: { id: string }[] };
      return json({ records: records.map(({ id }) => ({ id, score: Number(id) / 1_000 })) })(response, request);
    };
    upstream.answers(scoreEach, scoreEach, scoreEach);
    const before = upstream.requests.length;
    const documents = Array.from({ length: 450 }, (_, index) => `document ${index}`);
    const told = await rerank({ ...asked, documents, top_n: 3 });
    expect(told.body.results).toEqual([449, 448, 447].map((index) => ({ index, relevance_score: index / 1_000 })));
    const sizes = upstream.requests
      .slice(before)
      .map(({ body }) => (JSON.parse(body.toString()) as { records: unknown[] }).records.length);
    expect(sizes.toSorted((a, b) => a - b)).toEqual([50, 200, 200]);
  });

  test.each([
    ['my-config', '/v1/projects/proj-1/locations/global/rankingConfigs/my-config:rank'],
    ['projects/p/locations/eu/rankingConfigs/c', '/v1/projects/p/locations/eu/rankingConfigs/c:rank'],
  ])('takes the configuration %s', async (ranking_config, path) => {
    upstream.answers(json({ records: [] }));
    await rerank({ ...asked, ranking_config });
    expect(said().path).toBe(path);
    expect(said().json()).not.toHaveProperty('ranking_config');
  });

  test.each([
    ['a configuration that is none', { ranking_config: '../../models/x' }, /ranking_config must be an id or projects/],
    ['a key without a project', { model: 'vertex/express' }, /set vertex_key_config\.project_id/],
    ['no documents', { documents: [] }, /documents is required/],
  ])('refuses %s', async (_what, more, message) => {
    const before = upstream.requests.length;
    const told = await rerank({ ...asked, ...more });
    expect(told.status).toBe(400);
    expect(told.body).toMatchObject({ error: { message: expect.stringMatching(message) } });
    expect(upstream.requests.length).toBe(before);
  });

  test('Google’s refusals keep their status and words, and stand in the log', async () => {
    const message = 'Ranking model semantic-ranker-x not found';
    upstream.answers(json({ error: { code: 404, message, status: 'NOT_FOUND' } }, { status: 404 }));
    const told = await rerank({ ...asked, model: 'vertex/semantic-ranker-x' });
    expect(told.status).toBe(404);
    expect(told.body).toMatchObject({ error: { message: expect.stringContaining(message) } });
    expect(await logRow(gateway, 'semantic-ranker-x')).toMatchObject({
      object: 'rerank',
      provider: 'vertex',
      status: 'error',
    });
  });

  test.each([
    ['an id that was not sent', { records: [{ id: '7', score: 1 }] }],
    ['a score that is none', { records: [{ id: '0', score: 'high' }] }],
  ])('an answer with %s is no ranking', async (_what, answer) => {
    upstream.answers(json(answer));
    expect(await rerank(asked)).toMatchObject({
      status: 502,
      body: { error: { message: expect.stringContaining('no document') } },
    });
  });

  test('answers clients of Cohere', async () => {
    upstream.answers(json({ records: [{ id: '1', score: 0.9 }] }));
    const told = await rerank({ ...asked, top_n: 1 }, '/cohere/v2/rerank');
    expect(told.body).toMatchObject({
      results: [{ index: 1, relevance_score: 0.9 }],
      meta: { api_version: { version: '2' } },
    });
  });

  test.each([
    ['https://us-east5-aiplatform.googleapis.com/v1beta1', 'https://discoveryengine.googleapis.com'],
    ['https://aiplatform.googleapis.com/v1beta1', 'https://discoveryengine.googleapis.com'],
    ['https://aiplatform.eu.rep.googleapis.com/v1beta1', 'https://discoveryengine.googleapis.com'],
    ['https://proxy.example/google/v1beta1', 'https://proxy.example/google'],
  ])('stands beside %s', (baseUrl, host) => {
    const request = { payload: { fields: {} } } as Parameters<typeof googleRankingWire.path>[1];
    const place = { baseUrl, cloud: { project: 'p', region: 'us-east5' } };
    expect(googleRankingWire.path('m', request, place)).toBe(
      `${host}/v1/projects/p/locations/global/rankingConfigs/default_ranking_config:rank`,
    );
  });

  test('is asked where the location has a host of its own', () => {
    const fields = { ranking_config: 'projects/p/locations/eu/rankingConfigs/c' };
    const request = { payload: { fields } } as unknown as Parameters<typeof googleRankingWire.path>[1];
    const place = { baseUrl: 'https://aiplatform.googleapis.com/v1beta1', cloud: { project: 'p' } };
    expect(googleRankingWire.path('m', request, place)).toBe(
      'https://eu-discoveryengine.googleapis.com/v1/projects/p/locations/eu/rankingConfigs/c:rank',
    );
  });
});

describe('a client of the Ranking API', () => {
  const records = [
    { id: 'sky', title: 'Colours', content: 'the sky' },
    { id: 'rose', content: 'a rose' },
  ];
  const body = { query: 'what is red?', records, topN: 1 };
  const PATH = '/genai/v1/rank';

  test('travels byte for byte to vertex, but for the model’s name', async () => {
    const answer = { records: [{ id: 'rose', content: 'a rose', score: 0.9, future: 1 }] };
    upstream.answers(json(answer), json(answer));
    const told = await rerank({ model: 'vertex/semantic-ranker-fast-004', ...body, future: true }, PATH);
    expect(told.body).toEqual(answer);
    expect(said().path).toBe(RANK);
    expect(said().json()).toEqual({ model: 'semantic-ranker-fast-004', ...body, future: true });
    await rerank({ model: 'semantic-ranker-512@latest', ...body }, PATH);
    expect(said().json()).toMatchObject({ model: 'semantic-ranker-512@latest' });
  });

  test('is answered by Cohere', async () => {
    upstream.answers(json({ id: 'r', results: [{ index: 1, relevance_score: 0.8 }], meta: {} }));
    const told = await rerank({ model: 'cohere/rerank-v3.5', ...body, ignoreRecordDetailsInResponse: false }, PATH);
    expect(told.body).toEqual({ records: [{ id: 'rose', content: 'a rose', score: 0.8 }] });
    expect(said().path).toBe('/v2/rerank');
    expect(said().headers.authorization).toBe('Bearer co-ours');
    expect(said().json()).toEqual({
      model: 'rerank-v3.5',
      query: 'what is red?',
      documents: ['Colours\nthe sky', 'a rose'],
      top_n: 1,
    });
  });

  test('is answered by a server like vLLM, with ids and scores alone where it wants no more', async () => {
    upstream.answers(json({ id: 'r', results: [{ index: 0, relevance_score: 0.1 }] }));
    const told = await rerank({ model: 'vllm/bge', ...body, ignoreRecordDetailsInResponse: true }, PATH);
    expect(told.body).toEqual({ records: [{ id: 'sky', score: 0.1 }] });
  });

  test('is told errors as Google tells them', async () => {
    const told = await rerank({ model: 'cohere/rerank-v3.5', query: 'q' }, PATH);
    expect(told).toMatchObject({
      status: 400,
      body: {
        error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringMatching(/^records is required/) },
      },
    });
  });
});
