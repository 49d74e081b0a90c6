import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { configFile } from '../../src/config/config-file.ts';
import { type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { eventually, type Gateway, post, startGatewayHere } from '../support/gateway.ts';
import { type Loopback, onLoopback } from '../support/loopback.ts';

// What calls cost in the log, by the prices of the configuration and of a sheet at an address.

/** Every answer of the double takes these. */
const TOKENS = { input: 1_000, output: 20 };

let upstream: ChatUpstream;
let sheets: Loopback;
let sheetUrl: string;
let sheet: { readonly status: number; readonly text: string };
let reads = 0;
const gateways: Gateway[] = [];

beforeAll(async () => {
  upstream = await startChatUpstream(() => ({ text: 'fine' }));
  const server = createServer((_request, response) => {
    reads++;
    response.writeHead(sheet.status).end(sheet.text);
  });
  sheets = await onLoopback(server);
  sheetUrl = `${sheets.url}/sheet.json`;
});

afterAll(async () => {
  await upstream.close();
  await sheets.close();
});

afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop();
});

const keys = [
  { id: 'key-1', name: 'dear', value: 'sk-1', models: ['*'], weight: 1 },
  { id: 'key-2', name: 'cheap', value: 'sk-2', models: ['*'], weight: 1 },
];

async function started(more: object): Promise<Gateway> {
  const provider = { keys, network_config: { base_url: upstream.url } };
  const gateway = await startGatewayHere({ providers: { openai: provider, groq: provider }, ...more });
  gateways.push(gateway);
  return gateway;
}

let count = 0;

/** What the log says that a call has cost. */
async function costOf(
  { url }: Gateway,
  { model = 'openai/house-1', headers = {}, stream = false, path = '/v1/chat/completions' } = {},
): Promise<number | undefined> {
  const id = `cost-${++count}`;
  const body = path.endsWith('responses')
    ? { model, input: 'Hi', stream }
    : { model, messages: [{ role: 'user', content: 'Hi' }], stream };
  const answer = await post(`${url}${path}`, body, { 'x-request-id': id, ...headers });
  expect([answer.status, (await answer.text()).includes('fine')]).toEqual([200, true]);
  const row = await eventually(
    async () => (await fetch(`${url}/api/logs/${id}`)).json() as Promise<{ status?: string; cost?: number | null }>,
    ({ status }) => status === 'success',
  );
  return row.cost ?? undefined;
}

const costs = (perInput: number, perOutput: number): number => TOKENS.input * perInput + TOKENS.output * perOutput;

const priced = (input: number, more: object = {}) => ({
  pattern: 'house-1',
  patch: { input_cost_per_token: input, output_cost_per_token: 1 },
  ...more,
});

describe('governance.pricing_overrides', () => {
  test('price what nobody lists, exactly or by how it begins', async () => {
    const gateway = await started({
      governance: {
        pricing_overrides: [
          { id: 'o1', name: 'mine', scope_kind: 'global', ...priced(2), request_types: ['chat_completion'] },
          { ...priced(3), match_type: 'wildcard', pattern: 'house-*' },
        ],
      },
    });
    expect(await costOf(gateway)).toBe(costs(2, 1));
    expect(await costOf(gateway, { stream: true })).toBe(costs(2, 1));
    expect(await costOf(gateway, { model: 'groq/house-2' })).toBe(costs(3, 1));
    expect(await costOf(gateway, { model: 'openai/another' })).toBeUndefined();
  });

  test('a 0 is a price, and what is not said stays as it is listed', async () => {
    const gateway = await started({
      governance: {
        pricing_overrides: [
          { pattern: 'gpt-4o', patch: { input_cost_per_token: 0 } },
          { pattern: 'house-1', patch: { input_cost_per_token: 0, output_cost_per_token: 0, cost_per_request: 0.25 } },
        ],
      },
    });
    expect(await costOf(gateway, { model: 'openai/gpt-4o' })).toBeCloseTo(TOKENS.output * 10e-6);
    expect(await costOf(gateway)).toBe(0.25);
  });

  test('the most specific one counts: the key’s before the provider’s before everybody’s', async () => {
    const gateway = await started({
      governance: {
        pricing_overrides: [
          { scope_kind: 'global', ...priced(1) },
          { scope_kind: 'provider', provider_id: 'openai', ...priced(2) },
          { scope_kind: 'provider_key', provider_key_id: 'key-2', ...priced(3) },
        ],
      },
    });
    const by = (key: string) => ({ headers: { 'x-bf-api-key': key } });
    expect(await costOf(gateway, { model: 'groq/house-1', ...by('dear') })).toBe(costs(1, 1));
    expect(await costOf(gateway, by('dear'))).toBe(costs(2, 1));
    expect(await costOf(gateway, by('cheap'))).toBe(costs(3, 1));
  });

  test('a caller’s own counts above all, for that caller', async () => {
    const gateway = await started({
      governance: {
        virtual_keys: [{ id: 'vk-1', name: 'team', value: 'sk-bf-team', is_active: true }],
        pricing_overrides: [
          { scope_kind: 'provider_key', provider_key_id: 'key-2', ...priced(3) },
          { scope_kind: 'virtual_key', virtual_key_id: 'vk-1', ...priced(4) },
        ],
      },
    });
    const headers = { 'x-bf-api-key': 'cheap' };
    expect(await costOf(gateway, { headers: { ...headers, 'x-bf-vk': 'sk-bf-team' } })).toBe(costs(4, 1));
    expect(await costOf(gateway, { headers })).toBe(costs(3, 1));
  });

  test('only what is asked for in the ways they name', async () => {
    const gateway = await started({
      governance: { pricing_overrides: [{ ...priced(2), request_types: ['embedding'] }] },
    });
    expect(await costOf(gateway)).toBeUndefined();
  });

  test('a scope that names nobody and a beginning without its star are refused', () => {
    const parsed = (entry: object) => configFile.safeParse({ governance: { pricing_overrides: [entry] } });
    for (const [entry, place] of [
      [{ ...priced(1), scope_kind: 'provider' }, 'provider_id'],
      [{ ...priced(1), scope_kind: 'virtual_key_provider_key', virtual_key_id: 'v' }, 'provider_key_id'],
      [{ ...priced(1), match_type: 'wildcard' }, 'pattern'],
      [{ pattern: 'm', patch: { input_cost_per_token: -1 } }, 'input_cost_per_token'],
    ] as const) {
      expect(parsed(entry).error?.issues[0]?.path.at(-1)).toBe(place);
    }
  });
});

describe('a sheet of prices at an address', () => {
  const sheetOf = (input: number) => ({
    status: 200,
    text: JSON.stringify({ 'house-1': { input_cost_per_token: input, output_cost_per_token: 1 } }),
  });
  const framework = () => ({ pricing: { pricing_url: sheetUrl } });

  test('prices calls as soon as it is read, over what was remembered before', async () => {
    sheet = sheetOf(5);
    const gateway = await started({ framework: framework() });
    expect(
      await eventually(
        () => costOf(gateway),
        (cost) => cost !== undefined,
      ),
    ).toBe(costs(5, 1));
  });

  test('is below the configuration’s own words', async () => {
    sheet = sheetOf(5);
    reads = 0;
    const gateway = await started({
      framework: { ...framework(), model_overrides: { 'openai/house-1': { output_cost_per_token: 7 } } },
      governance: { pricing_overrides: [{ scope_kind: 'provider', provider_id: 'groq', ...priced(9) }] },
    });
    await eventually(
      async () => reads,
      (times) => times > 0,
    );
    expect(
      await eventually(
        () => costOf(gateway),
        (cost) => cost !== undefined,
      ),
    ).toBe(costs(5, 7));
    expect(await costOf(gateway, { model: 'groq/house-1' })).toBe(costs(9, 1));
  });

  test.each([
    ['refuses', { status: 500, text: 'no' }],
    ['is a page', { status: 200, text: '<html>' }],
  ])('that %s leaves everything as it was, with a warning', async (_what, broken) => {
    sheet = broken;
    const gateway = await started({
      framework: framework(),
      governance: { pricing_overrides: [priced(2)] },
    });
    await eventually(
      async () => gateway.output(),
      (text) => text.includes('could not be refreshed'),
    );
    expect(await costOf(gateway)).toBe(costs(2, 1));
  });
});
