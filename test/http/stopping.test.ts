import { expect, test } from 'vitest';
import { type ChatAnswer, startChatUpstream } from '../support/chat-upstream.ts';
import { clientFormats } from '../support/client-formats.ts';
import { eventually, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';

const STOPPED = /the gateway was stopped before the answer was complete; send the request again/;

/** What becomes of a question in every format, asked all at once, when the gateway is stopped over it. */
async function stoppedOver(answer: ChatAnswer, isStream: boolean) {
  const upstream = await startChatUpstream(() => answer);
  const gateway = await startGatewayHere(
    {
      providers: { oak: { ...keyed(upstream.url), custom_provider_config: { base_provider_type: 'openai' } } },
      mcp: { client_configs: [testServer()] },
    },
    { graceMs: 50 },
  );
  const asked = clientFormats.map((client) => client.ask(gateway.url, 'oak/m', isStream));
  await eventually(
    async () => upstream.bodies.length,
    (count) => count === clientFormats.length,
  );
  // those that stream have said something by now
  if (isStream) await Promise.all(asked);
  await gateway.stop();
  await upstream.close();
  const answers = await Promise.all(asked);
  return Promise.all(answers.map(async (response, index) => ({ response, text: await readBy(index, response) })));
}

const readBy = (index: number, response: Response): Promise<string> | undefined => clientFormats[index]?.read(response);

test.each<[string, ChatAnswer]>([
  ['a model that has stopped talking', { text: 'half an answer', open: true }],
  ['a tool that hangs', { text: 'half an answer', calls: [{ id: 'c1', name: 'ref-hang', input: {} }] }],
])('a stream over %s ends with an error event of its format', async (_, answer) => {
  const ended = await stoppedOver(answer, true);
  for (const [index, { format, streamTextOf, streamErrorOf, endsWell }] of clientFormats.entries()) {
    const { response, text = '' } = ended[index] ?? {};
    expect([format, response?.status, streamTextOf(text)]).toEqual([format, 200, 'half an answer']);
    expect(streamErrorOf(text), `${format}: ${text}`).toMatch(STOPPED);
    expect([format, endsWell(text)]).toEqual([format, false]);
  }
});

test.each<[string, ChatAnswer]>([
  ['a model that does not answer', { open: true }],
  ['a tool that hangs', { calls: [{ id: 'c1', name: 'ref-hang', input: {} }] }],
])('a whole answer over %s is a 503 in its format, on which clients ask again', async (_, answer) => {
  const ended = await stoppedOver(answer, false);
  for (const [index, { format, errorOf }] of clientFormats.entries()) {
    const { response, text = '' } = ended[index] ?? {};
    expect([format, response?.status]).toEqual([format, 503]);
    if (response) expect(errorOf(response, text), format).toMatch(STOPPED);
  }
});

test('calls of tools are told of it, by hand and at /mcp', async () => {
  const gateway = await startGatewayHere({ mcp: { client_configs: [testServer()] } }, { graceMs: 50 });
  const accept = { accept: 'application/json, text/event-stream' };
  const call = (id: number) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'ref-hang', arguments: {} },
  });
  const asked = [
    post(`${gateway.url}/v1/mcp/tool/execute`, { id: '1', type: 'function', function: { name: 'ref-hang' } }),
    post(`${gateway.url}/mcp`, call(7), accept),
    post(`${gateway.url}/mcp/ref`, { ...call(8), params: { name: 'hang' } }, { accept: 'application/json' }),
  ];
  const running = async () => (await fetch(`${gateway.url}/api/mcp-logs?status=processing`)).text();
  await eventually(running, (page) => page.split('"processing"').length > asked.length);
  await gateway.stop();
  const [byHand, atAll, atOne] = await Promise.all(asked);
  expect(byHand?.status).toBe(503);
  expect(await byHand?.json()).toMatchObject({ error: { message: expect.stringMatching(STOPPED) } });
  for (const [id, answer] of [
    [7, atAll],
    [8, atOne],
  ] as const) {
    const error = { code: -32603, message: expect.stringMatching(STOPPED) };
    expect(await answer?.json()).toEqual({ jsonrpc: '2.0', id, error });
  }
});
