import { expect, test } from 'vitest';
import { type GovernanceConfig, governanceSection } from '../../src/config/governance-section.ts';
import { unenforcedLimits } from '../../src/governance/unenforced.ts';
import { VirtualKeys } from '../../src/governance/virtual-keys.ts';
import { buildCatalog } from '../../src/mcp/catalog.ts';
import { VirtualMcps } from '../../src/mcp/virtual-mcps.ts';
import { clientConfig } from '../support/mcp-clients.ts';

const client = (name: string, more: object = {}) =>
  clientConfig({ name, client_id: `id-${name}`, connection_type: 'http', connection_string: 'http://x', ...more });
const CLIENTS = [client('one'), client('two'), client('open', { allow_by_default: true })];
const listed = ['read', 'Write'].map((upstreamName) => ({
  upstreamName,
  inputSchema: {},
  definition: {},
  annotations: {},
}));
const catalog = buildCatalog(
  1,
  CLIENTS.map((config) => ({ config, listed })),
);

const VALUE = 'sk-bf-value';
const NOW = Date.parse('2026-06-01T00:00:00Z');

function keysOf(section: object, version: 1 | 2 = 2, virtualMcps = new VirtualMcps([])) {
  const governance: GovernanceConfig = governanceSection.parse(section);
  return new VirtualKeys({
    keys: governance.virtual_keys,
    unenforced: unenforcedLimits(governance),
    version,
    clients: () => CLIENTS,
    catalog: () => catalog,
    virtualMcps: () => virtualMcps.list,
    now: () => NOW,
  });
}

const key = (more: object = {}) => ({ id: 'vk-1', name: 'Alpha', value: VALUE, ...more });
const caller = { virtualKey: VALUE, forwardHeaders: {} };
const identified = (section: object, version?: 1 | 2) => keysOf(section, version).identified(caller);

test.each([
  ['nothing but what is for every key', {}, ['open-*']],
  ['all of a client', { mcp_configs: [{ mcp_client_name: 'one', tools_to_execute: ['*'] }] }, ['one-*', 'open-*']],
  ['a client by its id', { mcp_configs: [{ mcp_client_id: 'id-one', tools_to_execute: ['*'] }] }, ['one-*', 'open-*']],
  [
    'some tools, whatever their case',
    { mcp_configs: [{ mcp_client_name: 'two', tools_to_execute: ['write'] }] },
    ['two-write', 'two-Write', 'open-*'],
  ],
  [
    'none of a client, though it is for every key',
    { mcp_configs: [{ mcp_client_name: 'open', tools_to_execute: [] }] },
    [],
  ],
  ['nothing of an unknown client', { mcp_configs: [{ mcp_client_name: 'x', tools_to_execute: ['*'] }] }, ['open-*']],
])('a key may use %s', (_, more, entries) => {
  expect(identified({ virtual_keys: [key(more)] }).keyTools).toEqual(entries);
});

test('what an attached virtual MCP holds belongs to the key', () => {
  const tools = [{ mcp_client_name: 'two', tool_names: ['read'] }];
  const [attached, off] = [
    { name: 'set', enabled: true },
    { name: 'off', enabled: false },
  ];
  const virtualMcps = new VirtualMcps([
    { ...attached, tools, virtual_key_ids: ['vk-1'] },
    { ...off, tools: [{ mcp_client_name: 'two', tool_names: ['*'] }], virtual_key_ids: ['vk-1'] },
  ]);
  expect(keysOf({ virtual_keys: [key()] }, 2, virtualMcps).identified(caller).keyTools).toEqual(['open-*', 'two-read']);
});

test('in version 1 an empty list allows everything', () => {
  expect(identified({ virtual_keys: [key()] }, 1).keyTools).toBeUndefined();
  const mcp_configs = [{ mcp_client_name: 'one', tools_to_execute: ['read'] }];
  expect(identified({ virtual_keys: [key({ mcp_configs })] }, 1).keyTools).toEqual(['one-read', 'open-*']);
});

test('the same list is given until something changes, so that views of it are found again', () => {
  const keys = keysOf({ virtual_keys: [key()] });
  expect(keys.identified(caller).keyTools).toBe(keys.identified(caller).keyTools);
});

test('a caller without a key stays the same one', () => {
  const nobody = { forwardHeaders: {} };
  expect(keysOf({ virtual_keys: [key()] }).identified(nobody)).toBe(nobody);
});

test.each([
  ['unknown', { virtual_keys: [key({ value: 'sk-bf-other' })] }, 'authentication', 'virtual key not found'],
  ['longer', { virtual_keys: [key({ value: `${VALUE}x` })] }, 'authentication', 'virtual key not found'],
  ['inactive', { virtual_keys: [key({ is_active: false })] }, 'permission', 'virtual key is inactive'],
  ['expired', { virtual_keys: [key({ expires_at: '2026-05-31T23:59:59Z' })] }, 'permission', 'virtual key has expired'],
  ['with a budget', { virtual_keys: [key({ budget_id: 'b' })] }, 'permission', 'budget_id'],
  ['with a rate limit', { virtual_keys: [key({ rate_limit_id: 'r' })] }, 'permission', 'rate_limit_id'],
  [
    'that a budget names',
    { virtual_keys: [key()], budgets: [{ id: 'b', virtual_key_id: 'vk-1' }] },
    'permission',
    'governance.budgets',
  ],
  [
    'of a team with a budget',
    { virtual_keys: [key({ team_id: 't' })], teams: [{ id: 't', budget_id: 'b' }] },
    'permission',
    'team.budget_id',
  ],
  [
    "of a team's customer with a rate limit",
    {
      virtual_keys: [key({ team_id: 't' })],
      teams: [{ id: 't', customer_id: 'c' }],
      customers: [{ id: 'c', rate_limit_id: 'r' }],
    },
    'permission',
    'customer.rate_limit_id',
  ],
])('a key that is %s is refused', (_, section, kind, message) => {
  expect(() => identified(section)).toThrow(
    expect.objectContaining({ kind, message: expect.stringContaining(message) }),
  );
});

test('what nobody enforces is told aloud, with the name of the key and never its value', () => {
  const keys = keysOf({
    virtual_keys: [
      key({ budget_id: 'b' }),
      key({ id: '2', name: 'Beta', value: '' }),
      key({ id: '3', provider_configs: [{}] }),
    ],
  });
  expect(keys.warnings).toEqual([
    "virtual key 'Alpha' is refused: budget_id would not be enforced by this version; take it out to use the key",
    'virtual key \'Beta\' has no value: nobody can show it; set "value"',
    "virtual key 'Alpha' may ask no model: its provider_configs would not be enforced by this version",
  ]);
});

test.each([
  [1, {}, undefined],
  [2, {}, 'names no provider'],
  [1, { provider_configs: [{ provider: 'openai' }] }, 'names its providers'],
] as const)('in version %d a key with %j may ask models as far as its rules can be kept', (version, more, why) => {
  const { modelsRefused } = identified({ virtual_keys: [key(more)] }, version);
  expect(modelsRefused).toEqual(why === undefined ? undefined : expect.stringContaining(why));
});

test("an empty value is nobody's key", () => {
  expect(keysOf({ virtual_keys: [key({ value: '' })] }).find('')).toBeUndefined();
});
