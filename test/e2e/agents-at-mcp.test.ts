import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODELS } from '../clients/scene.ts';
import { codex, geminiCli } from './coding-agents.ts';
import { type AgentScene, filesystem, startAgentScene } from './scene.ts';

// Coding agents with the gateway's /mcp as their MCP server; the loop offers them nothing beside it.

let scene: AgentScene;

beforeAll(async () => {
  const mcp = { tool_manager_config: { disable_auto_tool_inject: true }, client_configs: [filesystem] };
  scene = await startAgentScene({ note: 'by way of mcp', mcp });
});

afterAll(() => scene?.close());

describe.each([codex, geminiCli])('$name with the gateway as its MCP server', ({ binary: install, prompt, shell }) => {
  test('lists its tools and calls one', async () => {
    const { providers, gateway } = scene;
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
