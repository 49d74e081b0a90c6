import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ChatAnswer, type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { clientFormats } from '../support/client-formats.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { toolClients } from '../support/tool-clients.ts';

let gateway: Gateway;
let upstream: ChatUpstream;
/** What the server gets in this test. */
let added = '';
let tests = 0;
/** The model has waited enough. */
let hasEnded = false;

const MOST_ROUNDS = 2_000;

beforeAll(async () => {
  upstream = await startChatUpstream((body) => answer(body));
  gateway = await startGatewayHere({
    providers: { groq: keyed(upstream.url) },
    mcp: { client_configs: [testServer()], tool_manager_config: { max_agent_depth: MOST_ROUNDS } },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

beforeEach(() => {
  tests += 1;
  added = `new_${tests}`;
  hasEnded = false;
  upstream.bodies.length = 0;
});

const namesIn = ({ tools = [] }: ChatBody): string[] => tools.map((tool) => tool.function.name);

/** Has the server get a tool, does small things until the tool is offered, calls it and ends. */
function answer(body: ChatBody): ChatAnswer {
  const round = upstream.bodies.length;
  const call = (name: string, input: unknown): ChatAnswer => ({ calls: [{ id: `call_${round}`, name, input }] });
  if (hasEnded) return { text: 'Ended.' };
  if (round === 1) return call('ref-add_tool', { name: added });
  if (body.messages.some(({ content }) => content === `extra ${added}`)) return { text: 'Ran.' };
  if (namesIn(body).includes(`ref-${added}`)) return call(`ref-${added}`, {});
  return call('ref-slow', { ms: 25, value: round });
}

test.each(toolClients.flatMap((client) => [false, true].map((stream) => [client.format, stream, client] as const)))(
  'a tool that a server gets while a client of %s waits is offered and run in a later round (streamed: %s)',
  async (_, stream, client) => {
    const model = 'groq/llama';
    const body = client.body([client.say('Begin.')], { model, stream, tools: [] });
    const response = await post(`${gateway.url}${client.path(model, stream)}`, body);
    const format = clientFormats.find((each) => each.format === client.format);
    expect(await format?.read(response)).toContain('Ran.');
    const [first = [], ...later] = upstream.bodies.map(namesIn);
    const last = later.at(-1) ?? [];
    expect(last).toEqual([...first, `ref-${added}`]);
  },
);

test('a tool that the caller left out is not offered when it appears', async () => {
  const body = { model: 'groq/llama', messages: [{ role: 'user', content: 'Begin.' }] };
  const headers = { 'x-bf-mcp-include-tools': 'ref-add_tool,ref-slow' };
  const answered = post(`${gateway.url}/v1/chat/completions`, body, headers);
  const others = async () => (await fetch(`${gateway.url}/api/mcp/clients`)).text();
  await eventually(others, (catalog) => catalog.includes(added));
  const seen = upstream.bodies.length;
  await eventually(
    async () => upstream.bodies.length,
    (rounds) => rounds > seen + 2,
  );
  hasEnded = true;
  expect(await (await answered).json()).toMatchObject({ choices: [{ message: { content: 'Ended.' } }] });
  for (const names of upstream.bodies.map(namesIn)) expect(names).toEqual(['ref-add_tool', 'ref-slow']);
});
