import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { installed } from '../e2e/installed.ts';
import { sharedPath } from '../support/shared.ts';
import { runMcpScene } from './mcp-scene.ts';

// Measures the built gateway with the load harness that lies beside the checkout, everything on: key, routing, log with
// contents, metrics. Read the ratios to `http.pipe` (a bare node:http proxy in the same run), not the absolute figures.

interface Scene {
  readonly work: string;
  readonly only: string;
  readonly what: string;
  /** Names by which it is chosen beside those of its work. */
  readonly names?: readonly string[];
}

const SCENES: readonly Scene[] = [
  { work: 'chat,c1', only: 'http.pipe,ours,portkey', what: 'chat, same format' },
  { work: 'chatan', only: 'http.pipe,translated,portkey-an', what: 'Anthropic in, OpenAI out' },
  { work: 'chatge', only: 'http.pipe,translated', what: 'Gemini in, OpenAI out' },
  {
    work: 'chat',
    only: 'http.pipe,translated,to-gemini',
    what: 'OpenAI in, Anthropic and Gemini out',
    names: ['chatge'],
  },
  { work: 'streamge', only: 'http.pipe,translated', what: 'streams, Gemini in, OpenAI out' },
  {
    work: 'burst,stream',
    only: 'http.pipe,translated,to-gemini',
    what: 'streams, OpenAI in, Anthropic and Gemini out',
    names: ['streamge'],
  },
  { work: 'big', only: 'http.pipe,ours', what: '100 KB, same format, logged in full' },
  { work: 'burst,stream', only: 'http.pipe,ours', what: 'streams, same format' },
  { work: 'hold', only: 'http.pipe,ours', what: '1000 open streams' },
  { work: 'start', only: 'http.pipe,ours', what: 'start' },
];

const harness = sharedPath('bench');
if (!existsSync(harness)) {
  process.stdout.write(
    'npm run bench needs the load harness in ../shared/bench, which is not part of the repository\n',
  );
  process.exit(0);
}

const main = resolve(import.meta.dirname, '../../dist/main.js');
const folder = mkdtempSync(join(tmpdir(), 'bifrost-bench-'));
const bench = join(folder, 'harness');
cpSync(harness, bench, { recursive: true });
const peers = await installed('portkey', '@portkey-ai/gateway@1.15.2');

const provider = {
  keys: [{ name: 'bench', value: 'sk-mock', models: ['*'], weight: 1 }],
  network_config: { base_url: 'http://127.0.0.1:9100' },
};

/** Who speaks Gemini's API here asks a model of OpenAI's. */
const GEMINI_MODELS = '/genai/v1beta/models/openai/gpt-4o-mini';

/** A target of the harness: the gateway with an app-dir of its own, so that no two share a database. */
function target(name: string, models: { oa: string; an: string }) {
  const appDir = join(folder, name);
  mkdirSync(appDir);
  const gemini = { ...provider, network_config: { base_url: 'http://127.0.0.1:9100/v1beta' } };
  const config = { providers: { openai: provider, anthropic: provider, gemini } };
  writeFileSync(join(appDir, 'config.json'), JSON.stringify(config));
  return {
    name,
    cmd: [process.execPath, main, '-app-dir', appDir, '-host', '127.0.0.1'],
    health: '/health',
    headers: ['x-api-key: sk-test'],
    model: models,
    paths: {
      oa: '/v1/chat/completions',
      an: '/anthropic/v1/messages',
      ge: `${GEMINI_MODELS}:generateContent`,
      ges: `${GEMINI_MODELS}:streamGenerateContent?alt=sse`,
    },
  };
}

const portkey = {
  cmd: [
    process.execPath,
    '{dir}/node_modules/@portkey-ai/gateway/build/start-server.js',
    '--port={port}',
    '--headless',
  ],
  env: { TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
  health: '/',
  model: { oa: 'gpt-4o-mini', an: 'claude-sonnet-4-5' },
};
const portkeyHeaders = (name: string) => [
  'authorization: Bearer sk-mock',
  `x-portkey-provider: ${name}`,
  'x-portkey-custom-host: {upstream}/v1',
];

const targets = [
  target('ours', { oa: 'openai/gpt-4o-mini', an: 'anthropic/claude-sonnet-4-5' }),
  target('translated', { oa: 'anthropic/claude-sonnet-4-5', an: 'openai/gpt-4o-mini' }),
  target('to-gemini', { oa: 'gemini/gemini-2.5-flash', an: 'gemini/gemini-2.5-flash' }),
  { ...portkey, name: 'portkey', headers: portkeyHeaders('openai'), only: ['chat', 'c1'] },
  { ...portkey, name: 'portkey-an', headers: portkeyHeaders('anthropic'), only: ['chatan'] },
];
const targetsFile = join(folder, 'targets.json');
writeFileSync(targetsFile, JSON.stringify(targets));

const chosen = process.argv.slice(2);
for (const { work, only, what, names = [] } of SCENES) {
  if (chosen.length > 0 && !chosen.some((name) => [...work.split(','), ...names].includes(name))) continue;
  process.stdout.write(`\n#### ${what}\n`);
  const args = ['--targets', targetsFile, '--peers', peers, '--only', only, '--work', work, '--rounds', '3'];
  spawnSync(process.execPath, [join(bench, 'run.mjs'), ...args], { stdio: 'inherit' });
}
if (chosen.length === 0 || chosen.includes('mcp')) {
  process.stdout.write('\n#### MCP: tools/call\n');
  await runMcpScene({ harness: bench, folder, main });
}
