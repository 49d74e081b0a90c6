import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Gateway, post, startGatewayHere, testServer } from '../../support/gateway.ts';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGatewayHere({
    mcp: { client_configs: [testServer('ref', { tool_pricing: { echo: 0.25 } }), testServer('two')] },
  });
  await run('ref-echo', { text: 'first' });
  await run('ref-echo', { text: 'second' });
  await run('two-echo', { text: 'third' });
  await run('ref-nowhere', {});
  await eventually(
    () => ask<{ total_executions: number }>('/stats'),
    ({ answer }) => answer.total_executions === 4,
  );
});

afterAll(() => gateway.stop());

const run = (name: string, args: object) =>
  post(`${gateway.url}/v1/mcp/tool/execute`, {
    id: 'c1',
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  });

async function ask<Answer = Record<string, unknown>>(path: string, init: RequestInit = {}) {
  const response = await fetch(`${gateway.url}/api/mcp-logs${path}`, init);
  return { status: response.status, answer: (await response.json()) as Answer };
}

interface Page {
  logs: {
    id: string;
    tool_name: string;
    server_label: string;
    cost: number | null;
    status: string;
    arguments?: unknown;
  }[];
  pagination: object;
  stats: { total_executions: number; success_rate: number; total_cost: number };
  has_logs: boolean;
}

test('runs are listed with their price, newest first', async () => {
  const { answer } = await ask<Page>('?sort_by=timestamp&order=asc');
  expect(
    answer.logs.map(({ server_label, tool_name, status, cost }) => [server_label, tool_name, status, cost]),
  ).toEqual([
    ['ref', 'echo', 'success', 0.25],
    ['ref', 'echo', 'success', 0.25],
    ['two', 'echo', 'success', null],
    ['ref', 'nowhere', 'error', null],
  ]);
  expect(answer.pagination).toEqual({ limit: 50, offset: 0, sort_by: 'timestamp', order: 'asc', total_count: 4 });
  expect(answer.stats).toMatchObject({ total_executions: 4, success_rate: 75, total_cost: 0.5 });
  expect(answer.has_logs).toBe(true);
});

test.each([
  ['tool_names=echo', 3],
  ['server_labels=two,ref&tool_names=echo', 3],
  ['server_labels=two', 1],
  ['status=error', 1],
  ['status=success,error', 4],
  ['content_search=SECOND', 1],
  ['virtual_key_ids=none', 0],
  ['llm_request_ids=none', 0],
  ['min_latency=100000', 0],
  ['max_latency=100000', 4],
  ['period=1h', 4],
  ['start_time=2020-01-01T00:00:00Z&end_time=2020-01-02T00:00:00Z', 0],
])('%s finds %d of the runs, in list and stats alike', async (query, count) => {
  const [list, stats] = [await ask<Page>(`?${query}`), await ask<{ total_executions: number }>(`/stats?${query}`)];
  expect(list.answer.logs).toHaveLength(count);
  expect(stats.answer.total_executions).toBe(count);
});

test.each([
  ['?limit=0', 'limit must be greater than 0'],
  ['?limit=1001', 'limit cannot exceed 1000'],
  ['?offset=-1', 'offset cannot be negative'],
  ['?sort_by=tokens', 'invalid sort_by: it must be one of timestamp, latency, cost'],
  ['?order=up', 'invalid order: it must be one of asc, desc'],
  ['/stats?min_latency=x', 'invalid min_latency: "x" is not a number'],
  ['/histogram?start_time=yesterday', 'invalid start_time: "yesterday" is not an RFC 3339 time'],
  ['/histogram/top-tools?period=soon', 'invalid period: "soon" is no duration such as 1h, 24h or 7d'],
])('%s is refused', async (path, message) => {
  expect(await ask(path)).toMatchObject({ status: 400, answer: { error: { message } } });
});

test('the facets name what was run', async () => {
  expect((await ask('/filterdata')).answer).toEqual({
    tool_names: ['echo', 'nowhere'],
    server_labels: ['ref', 'two'],
    virtual_keys: [],
  });
});

describe('histograms', () => {
  interface Histogram {
    buckets: { timestamp: string; count: number; success: number; error: number; total_cost: number }[];
    bucket_size_seconds: number;
  }

  test('without a range hours are told, and only those in which something ran', async () => {
    const { answer } = await ask<Histogram>('/histogram');
    expect(answer.bucket_size_seconds).toBe(3_600);
    const sum = (key: 'count' | 'success' | 'error') =>
      answer.buckets.reduce((total, bucket) => total + bucket[key], 0);
    expect([sum('count'), sum('success'), sum('error')]).toEqual([4, 3, 1]);
    for (const { timestamp } of answer.buckets) expect(timestamp).toMatch(/:00:00\.000Z$/);
  });

  test('a range is told whole, in buckets that fit it', async () => {
    const { answer } = await ask<Histogram>('/histogram/cost?period=24h');
    expect(answer.bucket_size_seconds).toBe(3_600);
    expect(answer.buckets).toHaveLength(25);
    expect(answer.buckets.reduce((total, bucket) => total + bucket.total_cost, 0)).toBe(0.5);
  });

  test.each([
    ['1h', 60],
    ['2h', 600],
    ['24h', 3_600],
    ['3d', 28_800],
    ['7d', 86_400],
    ['30d', 259_200],
    ['90d', 604_800],
    ['365d', 2_592_000],
  ])('%s is shown in buckets of %d seconds', async (period, seconds) => {
    expect((await ask<Histogram>(`/histogram?period=${period}`)).answer.bucket_size_seconds).toBe(seconds);
  });
});

test('top tools come by how often they ran, with what is known of each', async () => {
  const { answer } = await ask<{ tools: object[] }>('/histogram/top-tools');
  expect(answer.tools).toEqual([
    {
      tool_name: 'echo',
      server_label: 'ref',
      count: 2,
      success: 2,
      error: 0,
      success_rate: 100,
      average_latency: expect.any(Number),
      cost: 0.5,
      last_used: expect.stringMatching(/Z$/),
    },
    expect.objectContaining({ tool_name: 'nowhere', server_label: 'ref', count: 1, error: 1, success_rate: 0 }),
    expect.objectContaining({ tool_name: 'echo', server_label: 'two', count: 1 }),
  ]);
  expect((await ask<{ tools: object[] }>('/tool-stats?server_labels=two')).answer.tools).toHaveLength(1);
});

test('one run is shown with what went in and came out', async () => {
  const { answer: page } = await ask<Page>('?content_search=first');
  const id = page.logs[0]?.id ?? '';
  expect((await ask(`/${id}`)).answer).toMatchObject({ id, arguments: { text: 'first' }, tool_name: 'echo' });
  expect(await ask('/nowhere')).toMatchObject({ status: 404 });
});

test('the metric has the labels of the original', async () => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(text).toContain(
    'bifrost_mcp_client_operation_duration_seconds_count{mcp_client="ref",mcp_tool_name="echo",mcp_method="tools/call",' +
      'error_type="",virtual_key_id="",virtual_key_name="",team_id="",team_name="",customer_id="",customer_name="",' +
      'business_unit_id="",business_unit_name=""} 2',
  );
  expect(text).toContain('mcp_tool_name="nowhere",mcp_method="tools/call",error_type="_OTHER"');
});

test('a run that goes on is processing, and its end is the end of that row', async () => {
  const ending = new AbortController();
  const call = { id: 'c1', type: 'function', function: { name: 'ref-hang', arguments: '{}' } };
  const running = post(`${gateway.url}/v1/mcp/tool/execute`, call, {}, ending.signal).catch(() => undefined);
  const rows = async (query: string) => (await ask<Page>(query)).answer.logs;
  const [begun] = await eventually(
    () => rows('?tool_names=hang&status=processing'),
    ({ length }) => length === 1,
  );
  expect(begun).toMatchObject({ server_label: 'ref', status: 'processing', latency: null, arguments: {} });
  ending.abort();
  await running;
  const [ended] = await eventually(
    () => rows('?tool_names=hang'),
    ([row]) => row?.status !== 'processing',
  );
  expect(ended).toMatchObject({ id: begun?.id, status: 'cancelled' });
  const ids = [ended?.id];
  const headers = { 'content-type': 'application/json' };
  expect((await ask('', { method: 'DELETE', body: JSON.stringify({ ids }), headers })).status).toBe(200);
});

describe('removal', () => {
  const remove = (body: string, headers: Record<string, string> = {}) =>
    ask('', { method: 'DELETE', body, headers: { 'content-type': 'application/json', ...headers } });

  test.each([
    ['{}', 'No log IDs provided'],
    ['{"ids":[]}', 'No log IDs provided'],
    ['{', 'Invalid JSON'],
  ])('of %s is refused', async (body, message) => {
    expect(await remove(body)).toMatchObject({ status: 400, answer: { error: { message } } });
  });

  test('from a foreign page is refused', async () => {
    expect((await remove('{"ids":["x"]}', { origin: 'https://evil.example' })).status).toBe(403);
  });

  test('takes what was named and nothing else', async () => {
    const { answer: page } = await ask<Page>('?server_labels=two');
    const ids = page.logs.map(({ id }) => id);
    expect(await remove(JSON.stringify({ ids }))).toEqual({
      status: 200,
      answer: { message: 'MCP tool logs deleted successfully' },
    });
    expect((await ask<Page>('')).answer.logs.map(({ server_label }) => server_label)).toEqual(['ref', 'ref', 'ref']);
  });
});
