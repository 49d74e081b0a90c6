import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODELS, type Providers, startProviders } from '../clients/scene.ts';
import { keyed } from '../support/gateway.ts';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { codex, geminiCli } from './coding-agents.ts';
import { toolsThere } from './tools-there.ts';

// Coding agents with the gateway's /mcp as their MCP server; the loop offers them nothing beside it.

let providers: Providers;
let gateway: GatewayProcess;

beforeAll(async () => {
  providers = await startProviders();
  gateway = await startGateway({
    providers: Object.fromEntries(Object.entries(providers.urls).map(([name, url]) => [name, keyed(url)])),
    mcp: {
      tool_manager_config: { disable_auto_tool_inject: true },
      client_configs: [
        {
          name: 'filesystem',
          connection_type: 'stdio',
          stdio_config: { command: 'bifrost', args: ['mcp-server', 'filesystem', 'workspace'] },
          tools_to_execute: ['*'],
        },
      ],
    },
  });
  await toolsThere(gateway);
  const workspace = join(gateway.appDir, 'workspace');
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, 'note.txt'), 'by way of mcp');
});

afterAll(async () => {
  await gateway?.stop();
  await providers?.close();
});

describe.each([codex, geminiCli])('$name with the gateway as its MCP server', ({ binary: install, prompt, shell }) => {
  test('lists its tools and calls one', async () => {
    const offered = new Set<string>();
    providers.says(({ tools, hasResults }) => {
      if (!tools.includes(shell.name)) return { text: 'ok' };
      for (const tool of tools) offered.add(tool);
      // each spells names in its own way; Codex adds a hash
      const name = tools.find((tool) => /filesystem.read_file/.test(tool));
      if (hasResults || name === undefined) return { text: 'That was it.' };
      return { text: 'Reading.', calls: [{ name, input: { path: 'note.txt' } }] };
    });
    // a model of neither format, as Codex offers tools of MCP in a shape of OpenAI alone
    const model = MODELS[2];
    const { code, stdout, stderr } = await prompt(await install(), gateway.url, model, 'Read the note', true);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('That was it.');
    expect([...offered].filter((tool) => tool.includes('filesystem')).length).toBeGreaterThan(3);
    // requests of coding agents are too long for a failure to show
    expect(JSON.stringify(providers.asked.at(-1)?.request.body).includes('by way of mcp')).toBe(true);
  });
});
