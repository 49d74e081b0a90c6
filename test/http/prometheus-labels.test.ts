import { afterAll, beforeAll, expect, test } from 'vitest';
import { OWN_LABELS } from '../../src/config/prometheus-labels.ts';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';

let upstream: ChatUpstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startChatUpstream(() => ({ text: 'hello' }));
  gateway = await startGatewayHere({
    client: { prometheus_labels: ['team', 'cost-center', 'Stage'] },
    providers: { openai: keyed(upstream.url) },
    mcp: { client_configs: [testServer()] },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const ask = async (headers: Record<string, string>): Promise<void> => {
  const chat = { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'hi' }] };
  await (await post(`${gateway.url}/v1/chat/completions`, chat, headers)).text();
};

const metrics = async (at = gateway): Promise<string> => (await fetch(`${at.url}/metrics`)).text();

/** The metrics, once a line of them holds each of the texts. */
const metricsWith = (...texts: string[]): Promise<string> =>
  eventually(metrics, (text) => text.split('\n').some((line) => texts.every((each) => line.includes(each))));

test.each<[headers: Record<string, string>, labels: string]>([
  [{ 'x-bf-dim-team': 'blue' }, 'team="blue",cost_center="",Stage=""'],
  [{ 'x-bf-dim-cost-center': '7', 'x-bf-dim-stage': 'test' }, 'team="",cost_center="7",Stage="test"'],
  [{ 'x-bf-dim-cost_center': '8' }, 'team="",cost_center="8",Stage=""'],
  [{ 'x-bf-prom-team': 'red' }, 'team="red",cost_center="",Stage=""'],
  [{ 'x-bf-prom-team': 'red', 'x-bf-dim-team': 'green' }, 'team="green",cost_center="",Stage=""'],
  [{ 'x-bf-dim-team': 'a "b" \\ c' }, 'team="a \\"b\\" \\\\ c",cost_center="",Stage=""'],
  [{ 'x-bf-dim-other': 'not asked for' }, 'team="",cost_center="",Stage=""'],
])('%j gives the labels %s', async (headers, labels) => {
  await ask(headers);
  for (const name of ['bifrost_upstream_requests_total', 'bifrost_upstream_latency_seconds_count']) {
    expect(await metricsWith(name, labels)).not.toContain('not asked for');
  }
});

test('tool runs have them as well', async () => {
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ref-echo', arguments: { value: 'x' } } };
  await (await post(`${gateway.url}/mcp`, call, { accept: 'application/json', 'x-bf-dim-team': 'tools' })).text();
  const text = await metricsWith('bifrost_mcp_client_operation_duration_seconds_count', 'team="tools"');
  expect(text).toMatch(/operation_duration_seconds_count\{[^}]*mcp_tool_name="echo"[^}]*team="tools"/);
});

test('a value is cut where it is longer than a word', async () => {
  await ask({ 'x-bf-dim-team': 'x'.repeat(500) });
  expect(await metricsWith(`team="${'x'.repeat(128)}"`)).not.toContain('x'.repeat(129));
});

test('x-bf-dim-* stands in the log too, configured as a label or not', async () => {
  await ask({ 'x-bf-dim-team': 'blue', 'x-bf-dim-run': '99', 'x-request-id': 'with-dimensions' });
  const row = await eventually(
    async () => (await (await fetch(`${gateway.url}/api/logs/with-dimensions`)).json()) as { metadata?: object },
    ({ metadata }) => metadata !== undefined,
  );
  expect(row.metadata).toEqual({ team: 'blue', run: '99' });
});

test.each([
  ['my team', /client\.prometheus_labels\[0\]: "my team" cannot be a label/],
  ['__name__', /"__name__" cannot be a label/],
  ['model', /"model" is a label that the metrics have by themselves/],
  ['le', /"le" is a label that the metrics have by themselves/],
])('"%s" is refused at the start', async (label, message) => {
  await expect(startGatewayHere({ client: { prometheus_labels: [label] } })).rejects.toThrow(message);
});

test('every label that the metrics of calls and tools have by themselves is known as taken', async () => {
  await ask({});
  const lines = (await metrics()).split('\n').filter((line) => line.startsWith('bifrost_'));
  const names = new Set(lines.flatMap((line) => [...line.matchAll(/([a-zA-Z_]+)="/g)].map(([, name = '']) => name)));
  for (const own of ['team', 'cost_center', 'Stage']) names.delete(own);
  expect([...names].filter((name) => !OWN_LABELS.includes(name))).toEqual([]);
});
