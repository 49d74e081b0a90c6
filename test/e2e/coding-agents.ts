import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../src/model/json.ts';
import { type CommandRun, runCommand } from './command.ts';
import { installed } from './installed.ts';

/** The versions that the recorded requests are of. */
const CODEX = '0.169.0';
const GEMINI_CLI = '0.61.0';

/** A coding agent of the command line, in a home and a working folder of its own. */
export interface CodingAgent {
  readonly name: string;
  /** Its own tool that runs a command, and the input with which it does. */
  readonly shell: { readonly name: string; readonly input: (command: string) => JsonObject };
  /** Installed on first use. */
  binary(): Promise<string>;
  /** Asks once and waits for the answer, every tool allowed, pointed at a gateway, and at its /mcp where `mcp` says so. */
  prompt(binary: string, gateway: string, model: string, text: string, mcp?: boolean): Promise<CommandRun>;
}

function folders(name: string): { readonly home: string; readonly work: string } {
  const root = mkdtempSync(join(tmpdir(), `bifrost-${name}-`));
  const [home, work] = [join(root, 'home'), join(root, 'work')];
  mkdirSync(home);
  mkdirSync(work);
  return { home, work };
}

export const codex: CodingAgent = {
  name: 'Codex CLI',
  shell: { name: 'exec_command', input: (cmd) => ({ cmd }) },
  binary: async () => join(await installed(`codex-${CODEX}`, `@openai/codex@${CODEX}`), 'node_modules/.bin/codex'),
  prompt(binary, gateway, model, text, mcp = false) {
    const { home, work } = folders('codex');
    mkdirSync(join(home, '.codex'));
    writeFileSync(join(home, '.codex/config.toml'), `${codexConfig(gateway, model)}${mcp ? codexMcp(gateway) : ''}`);
    const args = ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', text];
    return runCommand(binary, args, { cwd: work, env: { HOME: home, BIFROST_KEY: 'dummy-key' } });
  },
};

/** One repetition of a broken stream, so that a failure is told soon. */
const codexConfig = (gateway: string, model: string): string => `
model = "${model}"
model_provider = "bifrost"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.bifrost]
name = "Bifrost"
base_url = "${gateway}/openai/v1"
env_key = "BIFROST_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 1
`;

const codexMcp = (gateway: string): string => `
[mcp_servers.bifrost]
url = "${gateway}/mcp"
`;

export const geminiCli: CodingAgent = {
  name: 'Gemini CLI',
  shell: {
    name: 'run_shell_command',
    input: (command) => ({ command, description: 'Runs it' }),
  },
  binary: async () =>
    join(await installed(`gemini-cli-${GEMINI_CLI}`, `@google/gemini-cli@${GEMINI_CLI}`), 'node_modules/.bin/gemini'),
  prompt(binary, gateway, model, text, mcp = false) {
    const { home, work } = folders('gemini');
    mkdirSync(join(home, '.gemini'));
    writeFileSync(
      join(home, '.gemini/settings.json'),
      JSON.stringify({ ...GEMINI_SETTINGS, ...(mcp && geminiMcp(gateway)) }),
    );
    return runCommand(binary, ['-p', text, '-m', model, '--yolo', '--skip-trust'], {
      cwd: work,
      env: {
        HOME: home,
        GEMINI_API_KEY: 'dummy-key',
        GOOGLE_GEMINI_BASE_URL: `${gateway}/genai`,
        GEMINI_CLI_NO_RELAUNCH: 'true',
      },
    });
  },
};

const geminiMcp = (gateway: string) => ({ mcpServers: { bifrost: { httpUrl: `${gateway}/mcp` } } });

const GEMINI_SETTINGS = {
  security: { auth: { selectedType: 'gemini-api-key' } },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 2 },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
};
