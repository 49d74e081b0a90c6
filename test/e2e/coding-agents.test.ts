import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, MODELS, type Providers, type Said } from '../clients/scene.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { codex, geminiCli } from './coding-agents.ts';
import { type AgentScene, startAgentScene } from './scene.ts';

let scene: AgentScene;
let providers: Providers;
let gateway: GatewayProcess;

beforeAll(async () => {
  scene = await startAgentScene({ note: 'from the gateway', provider: keyedTwice });
  ({ providers, gateway } = scene);
});

afterAll(() => scene?.close());

const keyedTwice = (url: string) => ({
  keys: ['one', 'two'].map((name) => ({ name, value: `sk-${name}`, models: ['*'], weight: 1 })),
  network_config: { base_url: url, allow_private_network: true, max_retries: 1, retry_backoff_initial: 10 },
});

/** The end of a conversation: requests of coding agents are long, and a failure shows what was looked at. */
const lastOf = (asked: Asked | undefined): string => {
  const { messages, input, contents } = asked?.request.body ?? {};
  const turns = [messages, input, contents].find(Array.isArray) ?? [];
  return JSON.stringify(turns.slice(-4));
};

describe.each([codex, geminiCli])('$name', ({ shell, binary: install, prompt }) => {
  let binary: string;
  beforeAll(async () => {
    binary = await install();
  });

  /** Side questions, which offer no tools, get a word. */
  const says = (script: (asked: Asked, count: number) => Said) => {
    let count = 0;
    providers.says((asked) => (asked.tools.includes(shell.name) ? script(asked, ++count) : { text: 'ok' }));
  };
  const main = () => providers.asked.filter(({ tools }) => tools.includes(shell.name));
  const runs = (command: string) => ({ name: shell.name, input: shell.input(command) });

  describe.each(MODELS)('on %s', (model) => {
    test('says hello', async () => {
      says(() => ({ thinking: 'I shall say hello.', text: 'Hello from the other side.' }));
      const { code, stdout, stderr } = await prompt(binary, gateway.url, model, 'Say hello');
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('Hello from the other side.');
      expect(main()).toHaveLength(1);
      expect(lastOf(main()[0])).toContain('Say hello');
    });

    test('runs its own shell, and what that said reaches the model', async () => {
      says(({ hasResults }) =>
        hasResults
          ? { thinking: 'It ran.', text: 'It said so.' }
          : { thinking: 'Let me run it.', text: 'Running.', calls: [runs("printf '%s-%s' forty two")] },
      );
      const { code, stdout } = await prompt(binary, gateway.url, model, 'Run it');
      expect(code).toBe(0);
      expect(stdout).toContain('It said so.');
      expect(main()).toHaveLength(2);
      expect(lastOf(main()[1])).toContain('forty-two');
    });

    test('a tool of the gateway and its own in one turn: both results reach the model', async () => {
      says(({ hasResults }) =>
        hasResults
          ? { thinking: 'Both ran.', text: 'Seen both.' }
          : {
              thinking: 'I need both.',
              text: 'Both at once.',
              calls: [{ name: 'filesystem-read_file', input: { path: 'note.txt' } }, runs("printf '%s-%s' forty two")],
            },
      );
      const { code, stdout } = await prompt(binary, gateway.url, model, 'Do both');
      expect(code).toBe(0);
      expect(stdout).toContain('Seen both.');
      expect(main()).toHaveLength(2);
      expect(lastOf(main()[1])).toContain('from the gateway');
      expect(lastOf(main()[1])).toContain('forty-two');
    });

    test('a limited key is survived by the other one, unseen', async () => {
      says((_asked, count) => (count === 1 ? { status: 429, message: 'slow down' } : { text: 'Hello all the same.' }));
      const { code, stdout, stderr } = await prompt(binary, gateway.url, model, 'Say hello');
      expect(code).toBe(0);
      expect(stdout).toContain('Hello all the same.');
      expect(stderr).not.toContain('slow down');
      const keys = main().map(({ request: { headers } }) =>
        String(headers.authorization ?? headers['x-api-key'] ?? headers['x-goog-api-key']).replace('Bearer ', ''),
      );
      expect(keys.toSorted()).toEqual(['sk-one', 'sk-two']);
    });

    test('a stream that is cut is an error that it repeats, and the whole answer comes', async () => {
      says((_asked, count) => (count === 1 ? 'cut' : { text: 'The whole answer.' }));
      const { code, stdout } = await prompt(binary, gateway.url, model, 'Say it');
      expect(code).toBe(0);
      expect(stdout).toContain('The whole answer.');
      expect(main().length).toBeGreaterThan(1);
    });

    test('streams that are always cut are told as an error, never as an end', async () => {
      says(() => 'cut');
      const { stderr } = await prompt(binary, gateway.url, model, 'Say it');
      expect(main().length).toBeGreaterThan(1);
      // Gemini CLI leaves with 0 all the same
      expect(stderr).toMatch(/^\[?ERROR/m);
    });
  });

  test('a refusal says why', async () => {
    says(() => ({ status: 403, message: 'this key may not use that model' }));
    const { code, stdout, stderr } = await prompt(binary, gateway.url, MODELS[2], 'Say hello');
    expect(code).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain('this key may not use that model');
  });
});
