import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { chat, dialects } from '../support/dialects.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { until } from '../support/mcp-clients.ts';

let upstream: ChatUpstream;
let gateway: Gateway;
/** How long the result is that the model asks for. */
let length = 0;

const resultsIn = (body: ChatBody): string[] =>
  body.messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content));
const toolsIn = (body: ChatBody | undefined): string[] => (body?.tools ?? []).map((tool) => tool.function.name);
const handleIn = (text: string | undefined): string => /res_[\w-]{16}/.exec(text ?? '')?.[0] ?? '';

/** The model calls the tool, reads the second page of its result, searches it, and answers. */
beforeAll(async () => {
  upstream = await startChatUpstream((body) => {
    const results = resultsIn(body);
    const handle = handleIn(results[0]);
    const next = [
      { id: 'call_big', name: 'ref-big', input: { length } },
      { id: 'call_read', name: 'readResult', input: { handle, offset: 2, limit: 1 } },
      { id: 'call_grep', name: 'grepResult', input: { handle, pattern: 'xxxxx', context: 0 } },
    ][results.length];
    return next ? { calls: [next] } : { text: 'done' };
  });
  const client_configs = [
    testServer(),
    testServer('loose', { result_limits: { enabled: false } }),
    testServer('coded', { tool_mode: 'code' }),
  ];
  gateway = await startGatewayHere({ providers: { openai: keyed(upstream.url) }, mcp: { client_configs } });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

describe.each(dialects)('H8 $name: a large result in the agent loop', (dialect) => {
  test.each([
    [false, 200_000],
    [true, 200_000],
    [false, 5_000_000],
    [true, 5_000_000],
  ])('streamed: %s, %i characters', async (stream, size) => {
    length = size;
    upstream.bodies.length = 0;
    const answer = await post(`${gateway.url}${dialect.path}`, dialect.question('openai/m', { stream }));
    const text = await answer.text();
    expect([answer.status, dialect.streamErrorOf(text)], text.slice(0, 500)).toEqual([200, undefined]);
    expect(text).toContain('done');
    const last = upstream.bodies.at(-1);
    expect(upstream.bodies).toHaveLength(4);
    expect(JSON.stringify(last).length).toBeLessThan(90_000);
    const [preview, page, found] = resultsIn(last ?? { model: '', messages: [] });
    expect(preview).toMatch(new RegExp(`^\\[Too large to be shown whole: ${size} characters .*\\]\nx{4000}$`));
    expect(page).toMatch(new RegExp(`^\\[Lines 2 to 2 of ${size / 2_000}\\. Go on with {"offset": 3}\\.\\]\nx{2000}$`));
    expect(found).toMatch(new RegExp(`^\\[Matches 1 to \\d+ of ${size / 2_000}\\.`));
    expect(toolsIn(last)).toEqual(expect.arrayContaining(['ref-big', 'readResult', 'grepResult']));
  });
});

describe('readers', () => {
  const fresh = async (mcp: object = {}) =>
    startGatewayHere({ providers: { openai: keyed(upstream.url) }, mcp: { client_configs: [testServer()], ...mcp } });
  const ask = async ({ url }: Gateway): Promise<void> => {
    upstream.bodies.length = 0;
    await (await post(`${url}${chat.path}`, chat.question('openai/m'))).text();
  };

  test('come with the first large result, behind every other tool, and stay while there is something to read', async () => {
    const here = await fresh();
    length = 10;
    await ask(here);
    expect(toolsIn(upstream.bodies[0])).not.toContain('readResult');
    length = 200_000;
    await ask(here);
    expect(toolsIn(upstream.bodies[0])).not.toContain('readResult');
    expect(toolsIn(upstream.bodies[1]).slice(-2)).toEqual(['grepResult', 'readResult']);
    await ask(here);
    expect(toolsIn(upstream.bodies[0]).slice(-2)).toEqual(['grepResult', 'readResult']);
    await here.stop();
  });

  test.each([
    ['always', true],
    ['never', false],
  ])('are there %s, from the first request on: prompts keep their bytes', async (reader_tools, isThere) => {
    const here = await fresh({ result_limits: { reader_tools } });
    length = 200_000;
    await ask(here);
    expect(upstream.bodies.length).toBeGreaterThan(0);
    for (const body of upstream.bodies) expect(toolsIn(body).includes('readResult')).toBe(isThere);
    await here.stop();
  });

  test('are logged as runs of the gateway', async () => {
    length = 200_000;
    await ask(gateway);
    const listed = async () =>
      (await (await fetch(`${gateway.url}/api/mcp-logs?tool_names=readResult`)).json()) as {
        logs: { server_label: string }[];
      };
    let logs: { server_label: string }[] = [];
    while (logs.length === 0) logs = (await listed()).logs;
    expect(logs[0]).toMatchObject({ server_label: 'bifrost' });
  });
});

describe('H8 at /mcp', () => {
  const connected = async (path = '/mcp', headers: Record<string, string> = {}): Promise<Client> => {
    const client = new Client({ name: 'test', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(gateway.url + path), { requestInit: { headers } });
    // the SDK's class and its interface differ in what may be undefined
    await client.connect(transport as Parameters<Client['connect']>[0]);
    return client;
  };
  interface Told {
    readonly content: { readonly type: string; readonly text?: string; readonly uri?: string }[];
    readonly isError?: boolean;
  }
  const call = async (client: Client, name: string, args: Record<string, unknown>): Promise<Told> =>
    (await client.callTool({ name, arguments: args })) as unknown as Told;
  const names = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);

  test.each([200_000, 5_000_000])(
    '%i characters are a preview with a link, and tools read and search the rest',
    async (size) => {
      const client = await connected('/mcp', { 'x-bf-vk': `sk-bf-${size}` });
      expect(await names(client)).not.toContain('readResult');
      let changes = 0;
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
        changes += 1;
      });
      const told = await call(client, 'ref-big', { length: size });
      const [preview, link] = told.content;
      expect(JSON.stringify(told).length).toBeLessThan(6_000);
      expect(preview?.text).toMatch(new RegExp(`^\\[Too large to be shown whole: ${size} characters`));
      const handle = handleIn(preview?.text);
      expect(link).toMatchObject({ type: 'resource_link', uri: `bifrost-result://${handle}`, name: handle });
      await until(() => changes > 0);
      expect((await names(client)).slice(-2)).toEqual(['grepResult', 'readResult']);
      const page = await call(client, 'readResult', { handle, offset: size / 2_000 });
      expect(page.content[0]?.text).toMatch(/That is the end\.\]\nx{2000}$/);
      const found = await call(client, 'grepResult', { handle, pattern: '^x+$', context: 0 });
      expect(found.content[0]?.text).toMatch(new RegExp(`of ${size / 2_000}\\.`));
      const { contents } = await client.readResource({ uri: link?.uri ?? '' });
      expect(contents[0]).toMatchObject({ mimeType: 'text/plain' });
      expect(String((contents[0] as { text?: string }).text).replaceAll('\n', '')).toHaveLength(size);
      await client.close();
    },
  );

  test("another caller's handle is refused", async () => {
    const mine = await connected('/mcp', { 'x-bf-vk': 'sk-bf-mine' });
    const other = await connected('/mcp', { 'x-bf-vk': 'sk-bf-other' });
    const handle = handleIn((await call(mine, 'ref-big', { length: 200_000 })).content[0]?.text);
    const refused = await call(other, 'readResult', { handle });
    expect(refused).toMatchObject({ isError: true });
    expect(refused.content[0]?.text).toMatch(/there is no result/);
    await expect(other.readResource({ uri: `bifrost-result://${handle}` })).rejects.toThrow(/there is no result/);
    expect(await names(other)).not.toContain('readResult');
    expect((await call(mine, 'readResult', { handle })).isError).toBeUndefined();
    await Promise.all([mine.close(), other.close()]);
  });

  test('a client without limits, and the address of one server, give everything', async () => {
    const client = await connected();
    const own = await connected('/mcp/ref');
    expect((await call(client, 'loose-big', { length: 300_000 })).content[0]?.text).toHaveLength(300_000);
    expect((await call(own, 'big', { length: 300_000 })).content[0]?.text).toHaveLength(300_000);
    await Promise.all([client.close(), own.close()]);
  });

  test('a script gets the whole value', async () => {
    const client = await connected();
    const code = 'const all = await coded.big({ length: 1000000 }); return JSON.stringify(all).length;';
    const told = await call(client, 'executeToolCode', { code });
    expect(told.content[0]?.text).toMatch(/100\d{4}/);
    await client.close();
  });

  test('a call by hand is told the same', async () => {
    const answer = await post(`${gateway.url}/v1/mcp/tool/execute`, {
      id: 'call_1',
      type: 'function',
      function: { name: 'ref-big', arguments: '{"length":200000}' },
    });
    const { content } = (await answer.json()) as { content: string };
    expect(content).toMatch(/^\[Too large to be shown whole: 200000 characters/);
  });
});
