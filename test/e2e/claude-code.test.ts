import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import {
  type ChatAnswer,
  type ChatBody,
  type ChatMessage,
  type ChatUpstream,
  startChatUpstream,
} from '../support/chat-upstream.ts';
import { keyed } from '../support/gateway.ts';
import { startGateway } from '../support/gateway-process.ts';
import { type Block, type MessagesBody, startMessagesUpstream } from '../support/messages-upstream.ts';
import { ClaudeHome, claudeBinary } from './claude.ts';
import { filesystem, writeIntoWorkspace } from './scene.ts';
import { toolsThere } from './tools-there.ts';

let binary: string;
beforeAll(async () => {
  binary = await claudeBinary();
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Script = (body: ChatBody, count: number) => ChatAnswer;

/** Claude Code also asks side questions (titles, topics), which carry no tools: they get a word and are not counted. */
const mainOnly = (script: Script): Script => {
  let count = 0;
  return (body) => (body.tools?.some((tool) => tool.function.name === 'Bash') ? script(body, ++count) : { text: 'ok' });
};

const isMain = (body: ChatBody): boolean => body.tools?.some((tool) => tool.function.name === 'Bash') === true;

const results = (body: ChatBody): ChatMessage[] => body.messages.filter((message) => message.role === 'tool');

async function scene(script: Script, more: { fallback?: Script; anthropic?: string } = {}) {
  const upstream = await startChatUpstream(mainOnly(script));
  closing.push(upstream.close);
  const second = more.fallback && (await startChatUpstream(mainOnly(more.fallback)));
  if (second) closing.push(second.close);
  const home = new ClaudeHome(binary);
  const gateway = await startGateway(configFor(upstream, second, more.anthropic));
  closing.push(() => gateway.stop());
  await toolsThere(gateway);
  return { upstream, second, gateway, home, base: `${gateway.url}/anthropic` };
}

const configFor = (upstream: ChatUpstream, second?: ChatUpstream, anthropic?: string) => ({
  providers: {
    openai: keyed(upstream.url),
    groq: keyed((second ?? upstream).url),
    ...(anthropic && { anthropic: keyed(anthropic) }),
  },
  mcp: { client_configs: [filesystem] },
});

describe.each(['openai/gpt-4o', 'groq/llama-3.3-70b'])('Claude Code on %s', (model) => {
  test('says hello', async () => {
    const { home, base, upstream } = await scene(() => ({ text: 'Hello from the other side.' }));
    const run = await home.prompt('Say hello', model, base);
    expect(run).toMatchObject({ code: 0, stdout: 'Hello from the other side.\n' });
    expect(upstream.bodies.find(isMain)?.model).toBe(model.split('/')[1]);
  });

  test('writes a file with its own Write tool', async () => {
    const { home, base, upstream } = await scene((body) =>
      results(body).length === 0
        ? {
            text: 'Writing.',
            calls: [
              { id: 'call_w', name: 'Write', input: { file_path: join(home.work, 'a.txt'), content: 'from claude' } },
            ],
          }
        : { text: 'Done.' },
    );
    const run = await home.prompt('Write a.txt', model, base);
    expect(run).toMatchObject({ code: 0, stdout: 'Done.\n' });
    expect(readFileSync(join(home.work, 'a.txt'), 'utf8')).toBe('from claude');
    expect(results(upstream.bodies.filter(isMain)[1] as ChatBody)).toHaveLength(1);
  });

  test('runs parallel tools of its own', async () => {
    const { home, base, upstream } = await scene((body) =>
      results(body).length === 0
        ? {
            calls: [
              { id: 'call_1', name: 'Bash', input: { command: 'echo one', description: 'one' } },
              { id: 'call_2', name: 'Bash', input: { command: 'echo two', description: 'two' } },
            ],
          }
        : { text: 'Both ran.' },
    );
    expect(await home.prompt('Run both', model, base)).toMatchObject({ code: 0, stdout: 'Both ran.\n' });
    const second = upstream.bodies.filter(isMain)[1] as ChatBody;
    expect(results(second).map((result) => [result.tool_call_id, result.content])).toEqual([
      ['call_1', 'one'],
      ['call_2', 'two'],
    ]);
  });

  test('a tool of the gateway and one of its own in one answer: both results reach the model', async () => {
    const { home, base, upstream, gateway } = await scene((body) =>
      results(body).length === 0
        ? {
            text: 'Both at once.',
            calls: [
              { id: 'call_g', name: 'filesystem-read_file', input: { path: 'note.txt' } },
              { id: 'call_b', name: 'Bash', input: { command: 'echo from bash', description: 'echo' } },
            ],
          }
        : { text: 'Seen both.' },
    );
    writeIntoWorkspace(gateway, 'note.txt', 'from the gateway');
    expect(await home.prompt('Do both', model, base)).toMatchObject({ code: 0, stdout: 'Seen both.\n' });
    const second = upstream.bodies.filter(isMain)[1] as ChatBody;
    const answered = results(second).map((result) => [result.tool_call_id, String(result.content)]);
    expect(answered.map(([id]) => id)).toEqual(['call_g', 'call_b']);
    expect(answered[0]?.[1]).toContain('from the gateway');
    expect(answered[1]?.[1]).toContain('from bash');
    const assistant = second.messages.filter((message) => message.tool_calls);
    expect(assistant.map((message) => message.tool_calls?.map((made) => made.id))).toEqual([['call_g', 'call_b']]);
  });

  test('rounds run by the gateway alone are invisible work, and the answer comes', async () => {
    const { home, base, upstream, gateway } = await scene((body) => {
      const ran = results(body).length;
      if (ran === 0)
        return { text: 'Looking.', calls: [{ id: 'call_0', name: 'filesystem-list_directory', input: { path: '.' } }] };
      if (ran === 1)
        return {
          calls: [{ id: 'call_1', name: 'filesystem-create_file', input: { path: 'made.txt', content: 'made' } }],
        };
      return { text: 'Made it.' };
    });
    const run = await home.prompt('Make it', model, base);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('Made it.');
    expect(readFileSync(join(gateway.appDir, 'workspace/made.txt'), 'utf8')).toBe('made');
    expect(upstream.bodies.filter(isMain)).toHaveLength(3);
  });
});

describe('failures', () => {
  test('a 429 is survived by a fallback that the client asked for', async () => {
    const { home, base, second } = await scene(() => ({ status: 429, error: 'slow down' }), {
      fallback: () => ({ text: 'Hello from the fallback.' }),
    });
    const extra = { CLAUDE_CODE_EXTRA_BODY: '{"fallbacks":["groq/llama-3.3-70b"]}' };
    const run = await home.prompt('Say hello', 'openai/gpt-4o', base, extra);
    expect(run).toMatchObject({ code: 0, stdout: 'Hello from the fallback.\n' });
    expect(second?.bodies.find(isMain)?.model).toBe('llama-3.3-70b');
  });

  test('a stream cut in the middle is an error that the client repeats, never a silent end', async () => {
    const { home, base, upstream } = await scene((_body, count) =>
      count === 1 ? { text: 'This will be cut', cut: true } : { text: 'The whole answer.' },
    );
    const run = await home.prompt('Say it', 'openai/gpt-4o', base);
    expect(run).toMatchObject({ code: 0, stdout: 'The whole answer.\n' });
    expect(upstream.bodies.filter(isMain).length).toBeGreaterThan(1);
  });

  test('a refusal says why', async () => {
    const { home, base } = await scene(() => ({ status: 403, error: 'this key may not use gpt-4o' }));
    const run = await home.prompt('Say hello', 'openai/gpt-4o', base);
    expect(run.code).not.toBe(0);
    expect(`${run.stdout}${run.stderr}`).toContain('this key may not use gpt-4o');
  });
});

describe('Claude Code on anthropic/claude-sonnet-4-20250514', () => {
  const model = 'anthropic/claude-sonnet-4-20250514';
  const main = (body: MessagesBody) => body.tools?.some((tool) => tool.name === 'Bash') === true;
  const resultBlocks = (body: MessagesBody): JsonObject[] =>
    body.messages
      .flatMap(({ content }): unknown[] => (Array.isArray(content) ? content : []))
      .filter(isObject)
      .filter(({ type }) => type === 'tool_result');

  async function messagesScene(script: (body: MessagesBody) => readonly Block[]) {
    const messages = await startMessagesUpstream((body) =>
      main(body) ? script(body) : [{ type: 'text', text: 'ok' }],
    );
    closing.push(messages.close);
    return { messages, ...(await scene(() => ({ text: 'unused' }), { anthropic: messages.url })) };
  }

  test('says hello, and fields that nobody knows reach the provider', async () => {
    const { home, base, messages } = await messagesScene(() => [{ type: 'text', text: 'Hello.' }]);
    const extra = { CLAUDE_CODE_EXTRA_BODY: '{"field_of_tomorrow":{"a":[1,2.50]}}' };
    expect(await home.prompt('Say hello', model, base, extra)).toMatchObject({ code: 0, stdout: 'Hello.\n' });
    const sent = messages.bodies.find(main);
    expect(sent).toMatchObject({ model: 'claude-sonnet-4-20250514', field_of_tomorrow: { a: [1, 2.5] } });
    expect(sent?.thinking).toMatchObject({ type: 'enabled' });
    expect(messages.headers.at(-1)).toMatchObject({ 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' });
    expect(messages.headers.at(-1)?.['anthropic-beta']).toContain('claude-code');
  });

  test('writes a file with its own Write tool', async () => {
    const { home, base, messages } = await messagesScene((body) =>
      resultBlocks(body).length === 0
        ? [
            { type: 'text', text: 'Writing.' },
            {
              type: 'tool_use',
              id: 'toolu_w',
              name: 'Write',
              input: { file_path: join(home.work, 'a.txt'), content: 'from claude' },
            },
          ]
        : [{ type: 'text', text: 'Done.' }],
    );
    expect(await home.prompt('Write a.txt', model, base)).toMatchObject({ code: 0, stdout: 'Done.\n' });
    expect(readFileSync(join(home.work, 'a.txt'), 'utf8')).toBe('from claude');
    const [result, ...others] = resultBlocks(messages.bodies.filter(main)[1] as MessagesBody);
    expect(result).toMatchObject({ tool_use_id: 'toolu_w' });
    expect(result?.is_error).toBeFalsy();
    expect(others).toEqual([]);
  });

  test('runs parallel tools of its own', async () => {
    const { home, base, messages } = await messagesScene((body) =>
      resultBlocks(body).length === 0
        ? [
            { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'echo one', description: 'one' } },
            { type: 'tool_use', id: 'toolu_2', name: 'Bash', input: { command: 'echo two', description: 'two' } },
          ]
        : [{ type: 'text', text: 'Both ran.' }],
    );
    expect(await home.prompt('Run both', model, base)).toMatchObject({ code: 0, stdout: 'Both ran.\n' });
    const second = messages.bodies.filter(main)[1] as MessagesBody;
    // Claude Code tells models of this name, behind the last result, how many tokens they have left
    expect(resultBlocks(second)).toMatchObject([
      { tool_use_id: 'toolu_1', content: expect.stringMatching(/^one$/m) },
      { tool_use_id: 'toolu_2', content: expect.stringMatching(/^two$/m) },
    ]);
  });

  test('thinking, a tool of the gateway and one of its own: both results and the signature come back', async () => {
    const { home, base, messages, gateway } = await messagesScene((body) =>
      resultBlocks(body).length === 0
        ? [
            { type: 'thinking', thinking: 'I need both.', signature: 'c2lnbmF0dXJl' },
            { type: 'text', text: 'Both.' },
            { type: 'tool_use', id: 'toolu_g', name: 'filesystem-read_file', input: { path: 'note.txt' } },
            {
              type: 'tool_use',
              id: 'toolu_b',
              name: 'Bash',
              input: { command: 'echo from bash', description: 'echo' },
            },
          ]
        : [{ type: 'text', text: 'Seen both.' }],
    );
    writeIntoWorkspace(gateway, 'note.txt', 'from the gateway');
    expect(await home.prompt('Do both', model, base)).toMatchObject({ code: 0, stdout: 'Seen both.\n' });
    const history = JSON.stringify(messages.bodies.filter(main)[1]?.messages);
    for (const word of ['from the gateway', 'from bash', 'c2lnbmF0dXJl', 'toolu_g', 'toolu_b'])
      expect(history).toContain(word);
    expect(history).not.toContain('mcp_tool_use');
  });
});

describe('claude mcp', () => {
  test('lists the tools of every configured server behind one address, and calls one', async () => {
    const { home, gateway, base } = await scene((body) =>
      results(body).length === 0
        ? { calls: [{ id: 'call_m', name: 'mcp__bifrost__filesystem-read_file', input: { path: 'note.txt' } }] }
        : { text: 'Read through MCP.' },
    );
    writeIntoWorkspace(gateway, 'note.txt', 'by mcp');
    const added = await home.run(['mcp', 'add', '--transport', 'http', 'bifrost', `${gateway.url}/mcp`], base);
    expect(added.code).toBe(0);
    const listed = await home.run(['mcp', 'list'], base);
    expect(listed.stdout).toMatch(/bifrost.*Connected/);
    const env = { ENABLE_TOOL_SEARCH: 'false' };
    const run = await home.prompt('Read the note', 'openai/gpt-4o', base, env);
    expect(run).toMatchObject({ code: 0, stdout: 'Read through MCP.\n' });
    expect(existsSync(gateway.appDir)).toBe(true);
  });
});
