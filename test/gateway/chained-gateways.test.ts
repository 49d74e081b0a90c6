import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { type StrictGateway, type StrictName, startStrictGateway } from '../support/strict-gateway.ts';
import type { StrictAnswer } from '../support/strict-server.ts';
import { type ToolClient, toolClients } from '../support/tool-clients.ts';
import { toldTurns } from '../support/upstream-history.ts';

let inner: StrictGateway;
let outer: Gateway;
let script: StrictAnswer[] = [];

beforeAll(async () => {
  inner = await startStrictGateway(() => script.shift() ?? { text: 'beyond the script' }, {
    mcp: { client_configs: [testServer('ref', { tools_to_execute: ['echo'] })] },
  });
  const { url } = inner.gateway;
  outer = await startGatewayHere({
    providers: {
      anthropic: keyed(`${url}/anthropic`),
      openai: keyed(`${url}/openai/v1`),
      gemini: keyed(`${url}/genai/v1beta`),
      groq: keyed(`${url}/v1`),
    },
    mcp: {
      client_configs: [
        testServer('inner', {
          connection_type: 'http',
          stdio_config: undefined,
          connection_string: `${url}/mcp`,
        }),
      ],
    },
  });
});

afterAll(async () => {
  await outer.stop();
  await inner.close();
});

beforeEach(() => {
  // the ids of calls count what was accepted
  for (const { refused } of Object.values(inner.upstreams)) refused.length = 0;
});

/** What the outer gateway calls the inner one, and whom that asks. */
const TARGETS: readonly (readonly [model: string, upstream: StrictName])[] = [
  ['anthropic/anthropic/claude-sonnet-4-5', 'anthropic'],
  ['anthropic/openai/gpt-4o', 'openai'],
  ['anthropic/gemini/gemini-3-pro', 'gemini'],
  ['openai/openai/gpt-4o', 'openai'],
  ['openai/anthropic/claude-sonnet-4-5', 'anthropic'],
  ['gemini/anthropic/claude-sonnet-4-5', 'anthropic'],
  ['groq/gemini/gemini-3-pro', 'gemini'],
  ['groq/groq/llama-3.3-70b-versatile', 'groq'],
];

const call = (name: string, value: string) => ({ name, input: { value } });
const STEPS: readonly StrictAnswer[] = [
  { text: 'One.', calls: [call('ref-echo', 'a'), call('inner-ref-echo', 'b'), call('mine', 'c')] },
  { text: 'Two.', calls: [call('inner-ref-echo', 'd')] },
  { text: 'Three.', calls: [call('ref-echo', 'e')] },
  { text: 'Four.', calls: [call('mine', 'f'), call('ref-echo', 'g')] },
  { text: 'End.' },
];

async function walk(client: ToolClient, model: string, stream: boolean): Promise<void> {
  const history: JsonObject[] = [client.say('Begin.')];
  for (let step = 0; step < 9; step++) {
    const body = client.body(history, { model, stream, tools: ['mine'] });
    const response = await post(`${outer.url}${client.path(model, stream)}`, body);
    expect(response.status, response.status === 200 ? '' : await response.clone().text()).toBe(200);
    const kept = client.kept(await client.whole(response, stream));
    history.push(...kept);
    const calls = client.callsIn(kept);
    if (calls.length === 0) break;
    expect(calls.map(({ name }) => name)).toEqual(['mine']);
    history.push(...client.results(calls.map((each) => ({ ...each, text: `done:${String(each.input.value)}` }))));
  }
  expect(client.textOf(history)).toMatch(/End\.$/);
}

describe.each(toolClients)('a client of $format in front of two gateways', (client) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    test.each(TARGETS)(
      'each runs its own tools, and the model is told everything once: %s',
      async (model, upstream) => {
        script = [...STEPS];
        await walk(client, model, stream);
        const { accepted, refused } = inner.upstreams[upstream];
        expect(refused).toEqual([]);
        expect(script).toEqual([]);
        const [told] = accepted.slice(-1);
        expect(
          told && toldTurns(told).map(({ calls, results, paired }) => [calls.join(), results.join(), paired]),
        ).toEqual([
          ['ref-echo(a),inner-ref-echo(b),mine(c)', 'a,b,done:c', true],
          ['inner-ref-echo(d)', 'd', true],
          ['ref-echo(e)', 'e', true],
          ['mine(f),ref-echo(g)', 'done:f,g', true],
        ]);
      },
    );
  });
});
