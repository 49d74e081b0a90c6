import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { shared, sharedPath } from '../support/shared.ts';

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bifrost-config-'));
});
afterAll(() => rm(root, { recursive: true }));

async function newAppDir(file?: unknown): Promise<string> {
  const appDir = join(root, String(count++));
  await mkdir(appDir);
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  if (text !== undefined) await writeFile(join(appDir, 'config.json'), text);
  return appDir;
}

const QUIET: Omit<ConfigSources, 'appDir'> = {
  env: {},
  listen: { host: 'localhost', port: 8080 },
  detectable: [],
  probe: async () => false,
};

const load = async (file?: unknown, env: ConfigSources['env'] = {}): Promise<LoadedConfig> =>
  loadConfig({ ...QUIET, appDir: await newAppDir(file), env });

async function faultOf(file: unknown): Promise<string> {
  const appDir = await newAppDir(file);
  const thrown: unknown = await loadConfig({ ...QUIET, appDir }).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ConfigError);
  return (thrown as ConfigError).message.replaceAll(`${appDir}/`, '');
}

const filesystem = {
  name: 'filesystem',
  connection_type: 'stdio',
  stdio_config: { command: 'npx', args: ['-y', 'server'] },
};

describe('a missing file', () => {
  test('gives the defaults, without a warning', async () => {
    const { config, warnings, file } = await load();
    expect(file).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(config.client).toMatchObject({
      enable_logging: true,
      max_request_body_size_mb: 100,
      allowed_origins: [],
      enforce_auth_on_inference: false,
    });
    expect(config.mcp.tool_manager_config).toMatchObject({ tool_execution_timeout: 30_000, max_agent_depth: 10 });
    expect(config.mcp.tool_sync_interval).toBe(600_000);
  });

  test('stores stand in the app-dir', async () => {
    const appDir = await newAppDir();
    const { config } = await loadConfig({ ...QUIET, appDir });
    expect(config.logs_store).toMatchObject({ enabled: true, config: { path: join(appDir, 'logs.db') } });
    expect(config.config_store).toMatchObject({ enabled: true, config: { path: join(appDir, 'config.db') } });
  });
});

describe('a file that cannot be used', () => {
  test.each([
    ['{"client": }', 'config.json:1:12 is not valid JSON: expected a value'],
    ['[]', 'config.json is not a JSON object; write { } around its sections'],
    [
      '{\n  "client": {\n    "enable_logging": "yes"\n  }\n}',
      'config.json:3:23 client.enable_logging: expected boolean, received string; correct it and start again',
    ],
    ['{\n "mcp": []\n}', 'config.json:2:9 mcp: expected object, received array; correct it and start again'],
    ['{"providers": []}', 'config.json:1:15 providers: expected object, received array; correct it and start again'],
    ['{"version": 3}', 'config.json:1:13 version: expected one of 1|2; correct it and start again'],
    [
      '{"logs_store": {"type": "postgres"}}',
      'config.json:1:25 logs_store.type: "postgres" is not supported by this version; ' +
        'write "sqlite", or "enabled": false to do without; correct it and start again',
    ],
  ])('%j: %s', async (file, message) => {
    expect(await faultOf(file)).toBe(message);
  });

  test('every fault is named at once', async () => {
    const message = await faultOf({ client: { enable_logging: 1, allowed_origins: 'x' } });
    expect(message.split('\n')).toHaveLength(2);
  });

  test('a folder in its place is an error that says so', async () => {
    const appDir = await newAppDir();
    await mkdir(join(appDir, 'config.json'));
    await expect(loadConfig({ ...QUIET, appDir })).rejects.toThrow(
      `${join(appDir, 'config.json')} cannot be read (EISDIR); make it a file that this user may read, or remove it`,
    );
  });
});

describe('one wrong entry', () => {
  test('an MCP client that is wrong is skipped with its place, its fault and the fix', async () => {
    const { config, warnings } = await load({
      mcp: { client_configs: [{ ...filesystem, name: 'file-system' }, filesystem] },
    });
    expect(config.mcp.client_configs.map(({ name }) => name)).toEqual(['filesystem']);
    expect(warnings).toEqual([
      expect.stringMatching(
        /config\.json:1:27 mcp\.client_configs\["file-system"\] is skipped: name: name cannot contain hyphens; correct it and restart$/,
      ),
    ]);
  });

  test('a provider that is wrong is skipped, and detection does not take its place', async () => {
    const { config, warnings, skippedProviders } = await loadConfig({
      ...QUIET,
      appDir: await newAppDir({ providers: { openai: { keys: [{ name: 'main', value: 'sk-secret', weight: -1 }] } } }),
      env: { OPENAI_API_KEY: 'sk-other' },
      detectable: [{ name: 'openai', keyVariables: ['OPENAI_API_KEY'] }],
    });
    expect(config.providers).toEqual({});
    expect(skippedProviders).toEqual(['openai']);
    expect(warnings).toEqual([
      expect.stringContaining('providers.openai is skipped: keys[0].weight: Too small: expected number to be >=0'),
    ]);
    expect(warnings.join()).not.toContain('sk-');
  });

  test.each([
    [{ ...filesystem, stdio_config: undefined }, 'stdio_config.command is required for stdio'],
    [{ name: 'x', connection_type: 'http' }, "connection_string (the server's URL) is required for http"],
    [{ ...filesystem, connection_type: undefined }, 'connection_type: expected one of "http"|"sse"|"stdio"'],
    [{ connection_type: 'stdio', stdio_config: { command: 'x' } }, 'name: is missing (expected string)'],
    [{ ...filesystem, auth_type: 'oauth' }, `auth_type 'oauth' needs connection_type "http" or "sse", not "stdio"`],
    [{ ...filesystem, tools_to_execute: ['*', 'a'] }, "wildcard '*' cannot be used with other values"],
    [{ ...filesystem, tool_execution_timeout: 'soon' }, 'tool_execution_timeout: "soon" is not a duration'],
  ])('%j: %s', async (client, fault) => {
    const { config, warnings } = await load({ mcp: { client_configs: [client] } });
    expect(config.mcp.client_configs).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining(fault)]);
  });

  test('a second client of the same name is skipped', async () => {
    const { config, warnings } = await load({ mcp: { client_configs: [filesystem, filesystem] } });
    expect(config.mcp.client_configs).toHaveLength(1);
    expect(warnings).toEqual([expect.stringContaining('a second MCP client named "filesystem" is skipped')]);
  });
});

describe('sections and fields without effect', () => {
  test('a section that this version does not use is named once, an empty one not at all', async () => {
    const { warnings } = await load({ plugins: [{ name: 'otel' }], webhooks: {}, framework: {} });
    expect(warnings).toEqual(['"plugins" in config.json is accepted but has no effect in this version']);
  });

  test('an unknown top-level field is named, with the one that was meant', async () => {
    const { warnings } = await load({ provider: {}, banana: 1 });
    expect(warnings).toEqual([
      'config.json has an unknown field "provider", which is ignored; did you mean "providers"?',
      'config.json has an unknown field "banana", which is ignored; remove it',
    ]);
  });

  test('a misspelt field further in is named, a foreign one is left alone', async () => {
    const { warnings } = await load({
      client: { enable_loging: false },
      mcp: { client_configs: [{ ...filesystem, tool_to_execute: ['*'], oauth_config_id: 'x' }] },
    });
    expect(warnings).toEqual([
      'client has an unknown field "enable_loging", which is ignored; did you mean "enable_logging"?',
      'mcp.client_configs["filesystem"] has an unknown field "tool_to_execute", which is ignored; did you mean "tools_to_execute"?',
    ]);
  });

  test('the older deployments of a cloud key are aliases, and those of today win', async () => {
    const azure_key_config = { endpoint: 'http://x', deployments: { fast: 'old', best: 'gpt' } };
    const keys = [{ name: 'k', value: 'v', aliases: { fast: 'new' }, azure_key_config }];
    const { config } = await load({ providers: { azure: { keys } } });
    expect(config.providers.azure?.keys[0]?.aliases).toEqual({ fast: 'new', best: 'gpt' });
  });

  test('a field of the original that this version does not use is named, unless it asks for nothing', async () => {
    const { warnings } = await load({
      providers: {
        groq: { keys: [], openai_config: { disable_store: true }, store_raw_request_response: false },
        xai: { keys: [], prompt_cache: { auto_inject: true }, concurrency_and_buffer_size: null },
      },
    });
    expect(warnings).toEqual([
      '"prompt_cache" in providers.xai is accepted but has no effect in this version',
      'providers.groq.openai_config has no effect: it is for openai and custom providers based on it; remove it',
    ]);
  });

  test('what is not used yet is kept whole', async () => {
    const provider_configs = [{ provider: 'x', weight: null }];
    const governance = {
      virtual_keys: [{ id: 'a', name: 'b', provider_configs }],
      budgets: [{ id: 'c', max_limit: 1 }],
    };
    const { config, warnings } = await load({ governance, plugins: [{ name: 'otel' }] });
    expect(config.governance).toMatchObject(governance);
    expect(warnings).toContain('"budgets" in governance is accepted but has no effect in this version');
    expect(config.plugins).toEqual([{ name: 'otel' }]);
  });
});

describe('keys', () => {
  const keysOf = async (file: object, env = {}) => (await load(file, env)).config.providers.openai?.keys;
  const withKey = (key: object, version?: number) => ({ version, providers: { openai: { keys: [key] } } });

  test.each([
    [undefined, [], ['*']],
    [undefined, undefined, ['*']],
    [1, null, ['*']],
    [1, ['gpt-4o'], ['gpt-4o']],
    [2, [], []],
    [2, undefined, []],
    [2, ['*'], ['*']],
  ])('version %j reads models %j as %j', async (version, models, expected) => {
    expect(await keysOf(withKey({ name: 'a', value: 'sk', models }, version))).toMatchObject([{ models: expected }]);
  });

  test('a key that serves nothing is named', async () => {
    const { warnings } = await load(withKey({ name: 'main', value: 'sk' }, 2));
    expect(warnings).toEqual([
      'providers.openai.keys["main"] serves no model: "models" is empty and "version" is 2; write ["*"] for all',
    ]);
  });

  test('keys of one name are told of, though all are used', async () => {
    const keys = ['a', 'b', 'a', 'a'].map((name) => ({ name, value: 'sk' }));
    const { config, warnings } = await load({ providers: { openai: { keys }, groq: { keys: keys.slice(0, 2) } } });
    expect(config.providers.openai?.keys).toHaveLength(4);
    expect(warnings).toEqual([
      'providers.openai.keys has several keys named "a": all are used, but logs and x-bf-api-key cannot tell them apart; rename them',
    ]);
  });

  test('a reference takes the value of its variable', async () => {
    expect(await keysOf(withKey({ name: 'a', value: 'env.MY_KEY' }), { MY_KEY: 'sk-1' })).toMatchObject([
      { value: { value: 'sk-1', ref: 'env.MY_KEY' } },
    ]);
  });

  test('a reference to nothing is empty, remembered and named', async () => {
    const { config, warnings } = await load(withKey({ name: 'main', value: 'env.MY_KEY' }));
    expect(config.providers.openai?.keys[0]?.value).toEqual({ value: '', ref: 'env.MY_KEY', unset: true });
    expect(warnings).toEqual([
      'providers.openai.keys["main"].value is empty: the environment variable MY_KEY is not set; set it and restart',
    ]);
  });

  test('a reference may stand wherever a secret may', async () => {
    const headers = { Authorization: { env_var: 'TOKEN' } };
    const client = { name: 'remote', connection_type: 'http', connection_string: 'env.REMOTE_URL', headers };
    const { config } = await load({ mcp: { client_configs: [client] } }, { TOKEN: 't', REMOTE_URL: 'http://r/mcp' });
    expect(config.mcp.client_configs[0]).toMatchObject({
      connection_string: { value: 'http://r/mcp' },
      headers: { Authorization: { value: 't', ref: 'env.TOKEN' } },
    });
  });

  test('a key without a name is called by its provider and place', async () => {
    expect(await keysOf(withKey({ value: 'sk' }))).toMatchObject([{ name: 'openai-1' }]);
  });

  test('provider names are compared without case', async () => {
    const { config } = await load({ providers: { OpenAI: { keys: [{ name: 'a', value: 'sk' }] } } });
    expect(Object.keys(config.providers)).toEqual(['openai']);
  });
});

describe('older spellings', () => {
  test.each([
    [{ mcp_agent_depth: 3 }, { max_agent_depth: 3 }],
    [{ mcp_tool_execution_timeout: 45 }, { tool_execution_timeout: 45_000 }],
    [{ mcp_disable_auto_tool_inject: true }, { disable_auto_tool_inject: true }],
    [{ mcp_code_mode_binding_level: 'tool' }, { code_mode_binding_level: 'tool' }],
  ])('client %j sets %j', async (client, expected) => {
    expect((await load({ client })).config.mcp.tool_manager_config).toMatchObject(expected);
  });

  test('client.mcp_tool_sync_interval is in minutes', async () => {
    expect((await load({ client: { mcp_tool_sync_interval: 5 } })).config.mcp.tool_sync_interval).toBe(300_000);
  });

  test('the spelling of today wins', async () => {
    const { config } = await load({
      client: { mcp_agent_depth: 3 },
      mcp: { tool_manager_config: { max_agent_depth: 7 } },
    });
    expect(config.mcp.tool_manager_config.max_agent_depth).toBe(7);
  });

  test.each(['enforce_auth_on_inference', 'enforce_governance_header', 'enforce_scim_auth'])(
    'client.%s asks every caller for a virtual key',
    async (field) => {
      expect((await load({ client: { [field]: true } })).config.client.enforce_auth_on_inference).toBe(true);
    },
  );

  test.each([
    [{ oauth2_server_config: { disable_vk_identity: true } }, 'only valid when client.mcp_server_auth_mode is "oauth"'],
    [
      {
        mcp_server_auth_mode: 'oauth',
        enforce_auth_on_inference: true,
        oauth2_server_config: { disable_vk_identity: true },
      },
      'leave nobody who may sign in',
    ],
    [{ mcp_server_auth_mode: 'oauth', oauth2_server_config: { auth_code_ttl: 901 } }, 'auth_code_ttl'],
    [{ mcp_server_auth_mode: 'sometimes' }, 'mcp_server_auth_mode'],
  ])('a way to sign in at /mcp that cannot hold stops the start: %j', async (client, why) => {
    expect(await faultOf({ client })).toContain(why);
  });

  test('grants need a place to be kept', async () => {
    const file = { client: { mcp_server_auth_mode: 'both' }, config_store: { enabled: false } };
    expect(await faultOf(file)).toContain('config_store.enabled');
  });

  test.each([{ auth_config: { is_enabled: true } }, { governance: { auth_config: { is_enabled: true } } }])(
    'a login that nobody would ask for stops the start: %j',
    async (file) => {
      expect(await faultOf(file)).toContain('auth_config.is_enabled');
    },
  );
});

test.each([
  [300_000_000_000, 300_000],
  [1_000_000, 1],
  [999_999, 999_999_000],
  [300, 300_000],
  ['300s', 300_000],
  ['5m', 300_000],
  [0, 30_000],
])('a tool_execution_timeout of %j is %d ms', async (given, expected) => {
  const { config } = await load({ mcp: { tool_manager_config: { tool_execution_timeout: given } } });
  expect(config.mcp.tool_manager_config.tool_execution_timeout).toBe(expected);
});

test('the configuration is frozen to its leaves', async () => {
  const { config } = await load({ mcp: { client_configs: [filesystem] } });
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.mcp.client_configs[0]?.stdio_config?.args)).toBe(true);
});

test.each([
  ['\uFEFF{}', 'utf16le'],
  ['\uFFFE{}', 'utf16le'],
] as const)('a file in UTF-16 is named as such: %j', async (text, encoding) => {
  const appDir = await newAppDir({});
  await writeFile(join(appDir, 'config.json'), Buffer.from(text, encoding));
  await expect(loadConfig({ ...QUIET, appDir })).rejects.toThrow(
    /config\.json is written in UTF-16; save it as UTF-8$/,
  );
});

test('a section that is written twice is a warning: only one of them counts', async () => {
  const { config, warnings } = await load(
    '{"client": {"enable_logging": false},\n "client": {"log_retention_days": 3}}',
  );
  expect(config.client.enable_logging).toBe(true);
  expect(warnings).toEqual([
    expect.stringMatching(/config\.json:2:12 client is written twice; only this one counts, so join them$/),
  ]);
});

test('a byte order mark in front of the file is skipped', async () => {
  expect((await load('\uFEFF{"client": {"enable_logging": false}}')).config.client.enable_logging).toBe(false);
});

describe.runIf(shared)('the published examples are accepted as they stand', () => {
  const example = (name: string) => readFile(sharedPath('examples', name), 'utf8');

  test('providers', async () => {
    const env = { OPENAI_API_KEY: 'sk-o', ANTHROPIC_API_KEY: 'sk-a', GEMINI_API_KEY: 'sk-g' };
    const { config, warnings } = await load(await example('config-providers.json'), env);
    expect(warnings).toEqual([]);
    expect(Object.keys(config.providers)).toEqual(['openai', 'anthropic', 'gemini']);
    expect(config.providers.gemini?.keys).toMatchObject([
      { name: 'gemini-primary', value: { value: 'sk-g' }, models: ['*'], weight: 1 },
    ]);
    expect(config.logs_store.config.path).toMatch(/\/logs\.db$/);
  });

  test('MCP', async () => {
    const { config, warnings } = await load(await example('config-mcp.json'));
    expect(warnings).toEqual([]);
    expect(config.client.disable_content_logging).toBe(true);
    expect(config.mcp.client_configs).toMatchObject([
      {
        name: 'filesystem',
        stdio_config: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/tmp'] },
        tools_to_execute: ['*'],
        tools_to_auto_execute: ['read_file', 'list_directory', 'create_file', 'delete_file'],
      },
    ]);
    expect(config.mcp.tool_manager_config).toMatchObject({ tool_execution_timeout: 300_000, max_agent_depth: 10 });
  });
});
