import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { McpLibrary } from '../../../src/stores/mcp-library.ts';
import { type Gateway, startGatewayHere } from '../../support/gateway.ts';

const SERVERS = [
  {
    name: 'GitHub',
    description: 'Issues and code',
    category: 'Development',
    connection_type: 'http',
    connection_url: 'https://api.example/mcp/',
    auth_type: 'oauth',
    publisher: 'Hub Inc',
    tags: ['code', 'issues'],
  },
  { name: 'Files', category: 'System', connection_type: 'stdio', stdio_config: { command: 'npx', args: ['files'] } },
  { name: 'Files', connection_type: 'sse', connection_url: 'https://other.example' },
  { name: 'Broken', connection_type: 'pigeon' },
  { name: '***', connection_type: 'http', connection_url: 'https://x' },
];

let folder: string;
let gateway: Gateway;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'library-'));
  const file = join(folder, 'servers.json');
  writeFileSync(file, JSON.stringify({ servers: SERVERS }));
  gateway = await startGatewayHere({ framework: { pricing: { mcp_library_url: pathToFileURL(file).href } } });
});

afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

interface Shown {
  readonly servers?: readonly { readonly id: number; readonly name: string }[];
  readonly total_count?: number;
  readonly message?: string;
  readonly entry?: { readonly id: number };
  readonly error?: { readonly message: string };
}

async function ask(method: string, path = '', body?: unknown, at = gateway) {
  const response = await fetch(`${at.url}/api/mcp/library${path}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, answer: (await response.json()) as Shown };
}

const names = async (query = '') => (await ask('GET', query)).answer.servers?.map(({ name }) => name);

test('what stands at the address is listed, without what cannot be used and what is there twice', async () => {
  expect(await ask('GET')).toEqual({
    status: 200,
    answer: {
      servers: [
        {
          ...SERVERS[1],
          id: 2,
          slug: 'files',
          auth_type: 'none',
          source: 'remote',
          created_at: expect.stringMatching(/Z$/),
          updated_at: expect.stringMatching(/Z$/),
        },
        expect.objectContaining({ ...SERVERS[0], id: 1, slug: 'github' }),
      ],
      count: 2,
      total_count: 2,
      limit: 25,
      offset: 0,
    },
  });
});

test.each([
  ['?search=ISSUES', ['GitHub']],
  ['?search=hub inc', ['GitHub']],
  ['?category=System,Other', ['Files']],
  ['?connection_type=http,sse', ['GitHub']],
  ['?auth_type=none', ['Files']],
  ['?tags=issues,none', ['GitHub']],
  ['?order=desc', ['GitHub', 'Files']],
  ['?sort_by=category', ['GitHub', 'Files']],
  ['?limit=1&offset=1', ['GitHub']],
])('%s finds %j', async (query, found) => {
  expect(await names(query)).toEqual(found);
});

test.each([
  ['?limit=x', 'Invalid limit parameter: must be a number'],
  ['?offset=-1', 'Invalid offset parameter: must be non-negative'],
  ['?sort_by=age', 'Invalid sort_by parameter: must be one of name, category, publisher, created_at, updated_at'],
])('%s is refused', async (query, message) => {
  expect(await ask('GET', query)).toMatchObject({ status: 400, answer: { error: { message } } });
});

test('the facets name what there is', async () => {
  expect((await ask('GET', '/filterdata')).answer).toEqual({
    categories: ['Development', 'System'],
    connection_types: ['http', 'stdio'],
    auth_types: ['none', 'oauth'],
    tags: ['code', 'issues'],
  });
});

describe('servers of one’s own', () => {
  const own = { name: ' Our Wiki ', connection_type: 'http', connection_url: 'https://wiki.example/mcp' };

  test('are published once for each name, and outlive what is read again; what is removed stays away', async () => {
    const published = await ask('POST', '', own);
    expect(published).toMatchObject({
      status: 200,
      answer: {
        status: 'success',
        message: 'MCP library server published successfully',
        entry: { name: 'Our Wiki', slug: 'our-wiki', source: 'custom', auth_type: 'none' },
      },
    });
    expect(await ask('POST', '', { ...own, name: 'OUR-wiki' })).toMatchObject({
      status: 409,
      answer: { error: { message: 'an MCP library server with this name already exists' } },
    });
    expect((await ask('DELETE', '/1')).answer).toEqual({
      status: 'success',
      message: 'MCP library server removed successfully',
    });
    expect((await ask('POST', '/force-sync')).answer).toEqual({
      status: 'success',
      message: 'MCP library sync completed, 1 entries synced',
    });
    expect(await names()).toEqual(['Files', 'Our Wiki']);
    expect((await ask('DELETE', `/${published.answer.entry?.id}`)).status).toBe(200);
    expect(await names()).toEqual(['Files']);
    expect((await ask('POST', '', own)).status).toBe(200);
  });

  test.each<[object, string]>([
    [{ name: ' ' }, 'name is required'],
    [{ connection_type: 'inprocess' }, 'connection_type must be one of: http, stdio, sse'],
    [{ connection_url: '' }, 'connection_url is required for http/sse connection types'],
    [{ connection_type: 'stdio' }, 'stdio_config.command is required for stdio connection type'],
    [{ auth_type: 'magic' }, 'invalid auth_type'],
    [{ name: '***' }, 'name must contain at least one alphanumeric character'],
  ])('with %j is refused', async (more, message) => {
    expect(await ask('POST', '', { ...own, name: 'Another', ...more })).toMatchObject({
      status: 400,
      answer: { error: { message } },
    });
  });

  test.each([
    ['/x', 400, 'id must be a positive integer'],
    ['/999', 404, 'MCP library entry not found'],
  ])('%s cannot be removed', async (path, status, message) => {
    expect(await ask('DELETE', path)).toMatchObject({ status, answer: { error: { message } } });
  });
});

test('without an address there is what was published here, and the way to an address is told', async () => {
  const bare = await startGatewayHere({});
  expect((await ask('GET', '', undefined, bare)).answer).toMatchObject({ servers: [], total_count: 0 });
  expect(await ask('POST', '/force-sync', undefined, bare)).toMatchObject({
    status: 400,
    answer: { error: { message: expect.stringContaining('set framework.pricing.mcp_library_url') } },
  });
  await bare.stop();
});

test('without a config store nothing of it can be changed', async () => {
  const bare = await startGatewayHere({ config_store: { enabled: false } });
  const message = 'MCP operations unavailable: config store is disabled';
  expect(await ask('DELETE', '/1', undefined, bare)).toMatchObject({ status: 503, answer: { error: { message } } });
  await bare.stop();
});

test('an address that cannot be read leaves what is known, and is left alone for a while', async () => {
  const path = join(folder, 'kept.json');
  const warnings: string[] = [];
  const clock = { ms: Date.parse('2026-01-01T00:00:00Z') };
  let text = JSON.stringify({ servers: SERVERS.slice(0, 1) });
  let reads = 0;
  const library = new McpLibrary({
    path,
    url: 'https://library.example',
    syncIntervalMs: 3_600_000,
    read: async () => {
      reads += 1;
      return text;
    },
    warn: (message) => warnings.push(message),
    now: () => clock.ms,
  });
  expect(await library.list()).toHaveLength(1);
  clock.ms += 3_500_000;
  expect(await library.list()).toHaveLength(1);
  expect(reads).toBe(1);
  text = '<html>';
  clock.ms += 200_000;
  expect(await library.list()).toHaveLength(1);
  expect(await library.list()).toHaveLength(1);
  expect(reads).toBe(2);
  expect(warnings).toEqual([expect.stringContaining('failed to sync MCP library: https://library.example')]);
});
