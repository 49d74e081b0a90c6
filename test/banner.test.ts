import { describe, expect, test } from 'vitest';
import { type BannerFacts, bannerRecord, bannerText } from '../src/banner.ts';
import { type ConfigSources, loadConfig } from '../src/config/load.ts';
import { familyTraits } from '../src/providers/models/families.ts';

const NOWHERE = '/nonexistent/bifrost';

async function factsOf(env: ConfigSources['env'], more: Partial<BannerFacts> = {}): Promise<BannerFacts> {
  const detectable = [
    { name: 'openai', keyVariables: ['OPENAI_API_KEY'] },
    { name: 'anthropic', keyVariables: ['ANTHROPIC_API_KEY'] },
    { name: 'gemini', keyVariables: ['GEMINI_API_KEY'] },
    { name: 'groq', keyVariables: ['GROQ_API_KEY'] },
    { name: 'xai', keyVariables: ['XAI_API_KEY'] },
  ];
  const listen = { host: 'localhost', port: 8080 };
  const loaded = await loadConfig({ appDir: NOWHERE, env, listen, detectable, probe: async () => false });
  return { version: '1.2.3', ...listen, loaded, isUsable: () => true, mcpClients: [], ...more };
}

describe('the banner', () => {
  test('names what was found and the commands that use it', async () => {
    const mcpClients = [
      { name: 'filesystem', state: 'healthy', toolCount: 11 },
      { name: 'remote', state: 'connecting', toolCount: 0 },
    ];
    expect(bannerText(await factsOf({ OPENAI_API_KEY: 'sk-secret' }, { mcpClients }))).toMatchInlineSnapshot(`
      "Bifrost 1.2.3

        Open       http://localhost:8080
        MCP        http://localhost:8080/mcp
        Config     no config.json, so defaults
        Providers  openai (OPENAI_API_KEY_auto_detected)
                   provider openai found by OPENAI_API_KEY in the environment
        MCP tools  11 (filesystem 11, remote connecting)

        Claude Code through this gateway:
          ANTHROPIC_BASE_URL=http://localhost:8080/anthropic ANTHROPIC_API_KEY=dummy-key claude --model openai/gpt-4o
        Its MCP tools in Claude Code:
          claude mcp add --transport http bifrost http://localhost:8080/mcp
      "
    `);
  });

  test('without a provider it says how to get one', async () => {
    const text = bannerText(await factsOf({}));
    expect(text).toContain('set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or another provider key');
    expect(text).toContain('claude --model openai/gpt-4o');
  });

  test('names no provider that cannot be used, neither in words nor in the command', async () => {
    const facts = await factsOf({ OPENAI_API_KEY: 'k', GROQ_API_KEY: 'k' }, { isUsable: (name) => name !== 'openai' });
    expect(bannerText(facts)).toContain('  Providers  groq (GROQ_API_KEY_auto_detected)\n');
    expect(bannerText(facts)).toContain('claude --model groq/');
    expect(bannerRecord(facts).providers).toEqual({ groq: ['GROQ_API_KEY_auto_detected'] });
  });

  test('shows warnings', async () => {
    const text = bannerText(await factsOf({ OPENAI_BASE_URL: 'http://localhost:8080/openai' }));
    expect(text).toContain('  Warning    OPENAI_BASE_URL is ignored: it points at this gateway itself');
  });

  test.each([
    [{ GROQ_API_KEY: 'k', XAI_API_KEY: 'k' }, 'groq/llama-3.3-70b-versatile'],
    [{ XAI_API_KEY: 'k' }, 'xai/MODEL'],
  ])('with %j the command names the model %s', async (env, model) => {
    expect(bannerText(await factsOf(env))).toContain(`claude --model ${model}\n`);
  });

  test.each(['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'GROQ_API_KEY'])(
    'with %s the model it names is one that the model data knows',
    async (key) => {
      const [, model = ''] = /claude --model \w+\/(\S+)/.exec(bannerText(await factsOf({ [key]: 'k' }))) ?? [];
      expect(familyTraits(model)).toHaveProperty('contextWindow');
    },
  );

  test.each([
    ['0.0.0.0', 'http://localhost:8080'],
    ['::', 'http://localhost:8080'],
    ['::1', 'http://[::1]:8080'],
    ['gateway.lan', 'http://gateway.lan:8080'],
  ])('on host %s it is opened at %s', async (host, url) => {
    expect(bannerText(await factsOf({}, { host }))).toContain(`Open       ${url}\n`);
  });
});

test('the JSON log has the same facts in one record, without keys', async () => {
  const facts = await factsOf(
    { OPENAI_API_KEY: 'sk-secret' },
    { mcpClients: [{ name: 'time', state: 'healthy', toolCount: 4 }] },
  );
  expect(bannerRecord(facts)).toEqual({
    version: '1.2.3',
    url: 'http://localhost:8080',
    mcp: 'http://localhost:8080/mcp',
    providers: { openai: ['OPENAI_API_KEY_auto_detected'] },
    mcpClients: [{ name: 'time', state: 'healthy', tools: 4 }],
    notes: ['provider openai found by OPENAI_API_KEY in the environment'],
    warnings: [],
    commands: [
      'ANTHROPIC_BASE_URL=http://localhost:8080/anthropic ANTHROPIC_API_KEY=dummy-key claude --model openai/gpt-4o',
      'claude mcp add --transport http bifrost http://localhost:8080/mcp',
    ],
  });
});

test('the JSON log says too what to do when there is no provider', async () => {
  const { notes } = bannerRecord(await factsOf({}));
  expect(notes).toEqual([expect.stringMatching(/^providers: none yet: set OPENAI_API_KEY, .*, or start Ollama/)]);
});
