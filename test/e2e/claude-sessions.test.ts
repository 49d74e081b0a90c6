import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, MODELS, type Providers, type Said } from '../clients/scene.ts';
import { serverFile } from '../support/mcp-clients.ts';
import { pngOf } from '../support/png.ts';
import { ClaudeHome, claudeBinary } from './claude.ts';
import { type AgentScene, filesystem, startAgentScene, stdioClient } from './scene.ts';

// Long work with Claude Code: sessions that go on on other models, subagents, pictures, and what is too much.

let binary: string;
let scene: AgentScene;
let providers: Providers;

beforeAll(async () => {
  binary = await claudeBinary();
  const catalogs = ['crm', 'billing', 'mail'].map((name) =>
    stdioClient(name, process.execPath, serverFile('catalog.mjs'), name),
  );
  const mcp = { client_configs: [filesystem, ...catalogs] };
  scene = await startAgentScene({ note: 'from the gateway', mcp, tools: 161 });
  providers = scene.providers;
});

afterAll(() => scene?.close());

const isMain = ({ tools }: Asked): boolean => tools.includes('Bash');
const main = (): Asked[] => providers.asked.filter(isMain);

/** Side questions, which offer no tools, get a word. */
function says(script: (asked: Asked, count: number) => Said): void {
  let count = 0;
  providers.says((asked) => (isMain(asked) ? script(asked, ++count) : { text: 'ok' }));
}

/** Few tools of the gateway, as nobody wants 161; all of them by `ALL`. */
const FEW = { ANTHROPIC_CUSTOM_HEADERS: 'x-bf-mcp-include-clients: filesystem' };
const ALL = {};

interface Answered {
  readonly result: string;
  readonly session_id: string;
}

/** Asks once, as JSON, so that the answer tells which session to go on with. */
async function ask(home: ClaudeHome, text: string, model: string, session?: string, env: Record<string, string> = FEW) {
  const going = session === undefined ? [] : ['--resume', session];
  const args = ['-p', text, '--model', model, '--permission-mode', 'bypassPermissions', '--output-format', 'json'];
  const { code, stdout, stderr } = await home.run([...args, ...going], `${scene.gateway.url}/anthropic`, {
    CLAUDE_CODE_MAX_RETRIES: '2',
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    ...env,
  });
  expect({ code, said: code === 0 ? '' : `${stdout}${stderr}` }).toEqual({ code: 0, said: '' });
  // what Claude Code prints in this format
  return JSON.parse(stdout) as Answered;
}

const bash = (command: string) => ({ name: 'Bash', input: { command, description: 'Runs it' } });
const readNote = { name: 'filesystem-read_file', input: { path: 'note.txt' } };

describe.each(MODELS)('Claude Code on %s', (model) => {
  test('a session with a tool of the gateway and one of its own goes on on another model', async () => {
    const home = new ClaudeHome(binary);
    says((_asked, count) =>
      count === 1
        ? { thinking: 'I need both.', text: 'Both.', calls: [readNote, bash("printf '%s-%s' forty two")] }
        : { thinking: 'Both ran.', text: 'Seen both.' },
    );
    const { result, session_id: session } = await ask(home, 'Do both', model);
    expect(result).toBe('Seen both.');
    const next = MODELS[(MODELS.indexOf(model) + 1) % MODELS.length] ?? model;
    says(() => ({ thinking: 'Once more.', text: `Said by ${next}.` }));
    expect((await ask(home, 'And again', next, session)).result).toBe(`Said by ${next}.`);
    for (const word of ['from the gateway', 'forty-two', 'Seen both.']) expect(main()[0]?.text).toContain(word);
  });

  test('reads a picture, which the model sees', async () => {
    const home = new ClaudeHome(binary);
    const picture = join(home.work, 'dot.png');
    writeFileSync(picture, pngOf([[7]], { width: 1, height: 1, bitDepth: 8, colorType: 0 }));
    says(({ hasResults }) =>
      hasResults ? { text: 'A dot.' } : { text: 'Looking.', calls: [{ name: 'Read', input: { file_path: picture } }] },
    );
    expect((await ask(home, 'What is it?', model)).result).toBe('A dot.');
    expect(main().at(-1)?.text).toContain('iVBORw0KGgo');
  });
});

test('subagents work side by side, with tools of the gateway and their own', async () => {
  providers.says((asked) => {
    const task = /TASK-(\w)/.exec(lastTexts(asked))?.[1];
    if (task !== undefined) {
      return asked.hasResults ? { text: `Done ${task}.` } : { text: 'At it.', calls: [readNote, bash(`echo ${task}`)] };
    }
    if (!isMain(asked) || asked.hasResults) return { text: 'All done.' };
    const launch = (name: string) => ({
      name: 'Agent',
      input: { description: `Task ${name}`, prompt: `TASK-${name}`, subagent_type: 'general-purpose' },
    });
    return { text: 'Launching.', calls: ['A', 'B', 'C'].map(launch) };
  });
  expect((await ask(new ClaudeHome(binary), 'Launch them', MODELS[1])).result).toBe('All done.');
  for (const word of ['Done A.', 'Done B.', 'Done C.']) expect(main().at(-1)?.text).toContain(word);
});

/** What a subagent was given stands in its first turns; the launching one holds it in calls only. */
const lastTexts = ({ text }: Asked): string => (text.includes('Launch them') ? '' : text);

test('a window that is full is emptied by a summary, in the words of any provider', async () => {
  const home = new ClaudeHome(binary);
  says(() => ({ text: `A long story ${'and so on '.repeat(300)}` }));
  const { session_id: session } = await ask(home, 'Tell me', MODELS[1]);
  await ask(home, 'Go on', MODELS[1], session);
  says(({ text }, count) => {
    if (text.includes('Respond with TEXT ONLY')) return { text: '<summary>THE-SUMMARY</summary>' };
    if (count > 1) return { text: 'Here I am.' };
    return { status: 400, message: 'Please reduce the length of the messages or completion.' };
  });
  expect((await ask(home, 'And then?', MODELS[1], session)).result).toBe('Here I am.');
  expect(main().at(-1)?.text).toContain('THE-SUMMARY');
});

test('161 tools of the gateway are searched for where a provider takes 128', async () => {
  says(({ hasResults, tools, text }) => {
    if (/Ada.{1,60}Grace/.test(text)) return { text: 'It was Ada.' };
    if (hasResults || !tools.includes('executeTool')) return { text: `No search among ${tools.join()}` };
    return { text: 'Looking.', calls: [{ name: 'executeTool', input: { tool: 'crm-list_customers', arguments: {} } }] };
  });
  // the answer of a turn that the gateway alone worked on comes with what was said on the way
  expect((await ask(new ClaudeHome(binary), 'Who is it?', MODELS[1], undefined, ALL)).result).toContain('It was Ada.');
});
