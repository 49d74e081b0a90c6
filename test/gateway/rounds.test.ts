import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post, testServer } from '../support/gateway.ts';
import { scriptedStrict } from '../support/scripted-strict.ts';
import type { StrictName } from '../support/strict-gateway.ts';
import { objectOf, type StrictRequest } from '../support/strict-server.ts';
import { type ToolClient, toolClients } from '../support/tool-clients.ts';
import { toldTurns } from '../support/upstream-history.ts';

const strict = scriptedStrict({
  mcp: {
    client_configs: [testServer('ref', { tools_to_execute: ['echo'] })],
    tool_manager_config: { max_agent_depth: 2 },
  },
});

const TARGETS: readonly (readonly [model: string, upstream: StrictName])[] = [
  ['openai/gpt-4o', 'openai'],
  ['anthropic/claude-sonnet-4-5', 'anthropic'],
  ['gemini/gemini-3-pro', 'gemini'],
  ['responder/gpt-5', 'openai'],
  ['groq/llama-3.3-70b-versatile', 'groq'],
];

const echo = (value: string) => ({ name: 'ref-echo', input: { value } });
const mine = (value: string) => ({ name: 'mine', input: { value } });

/** Whether a request makes the model call a tool, whatever format it is in. */
function forces({ body }: StrictRequest): boolean {
  const choice = body.tool_choice ?? objectOf(objectOf(body.toolConfig).functionCallingConfig).mode;
  const word = typeof choice === 'object' ? objectOf(choice).type : choice;
  return ['required', 'any', 'tool', 'function', 'ANY'].includes(String(word));
}

async function ask(
  client: ToolClient,
  model: string,
  stream: boolean,
  history: JsonObject[],
  more: { forced?: string } = {},
) {
  const url = `${strict.url}${client.path(model, stream)}`;
  const response = await post(url, client.body(history, { model, stream, tools: ['mine'], ...more }));
  expect(response.status, response.status === 200 ? '' : await response.clone().text()).toBe(200);
  return client.whole(response, stream);
}

const TOOL_ENDS = ['tool_use', 'tool_calls', 'completed', 'STOP'];

describe.each(toolClients)('a client of $format', (client) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    describe.each(TARGETS)('%s', (model, upstream) => {
      test.each(['any', 'mine', 'ref-echo'])('a choice of %s holds for the first round alone', async (forced) => {
        strict.script = [{ calls: [echo('a')] }, { calls: [echo('b')] }, { text: 'End.' }];
        const answer = await ask(client, model, stream, [client.say('Begin.')], { forced });
        const { accepted, refused } = strict.upstreams[upstream];
        expect(refused).toEqual([]);
        expect(client.textOf(client.kept(answer))).toBe('End.');
        expect(accepted.map(forces)).toEqual([true, false, false]);
      });

      test('usage is the sum of all rounds', async () => {
        strict.script = [{ calls: [echo('a')] }, { text: 'x', calls: [echo('b'), mine('c')] }];
        const answer = await ask(client, model, stream, [client.say('Begin.')]);
        expect(client.tokensOf(answer)).toEqual([200, 40]);
        expect(TOOL_ENDS).toContain(client.endOf(answer));
      });

      test('at the depth limit the client is handed the calls, and going on loses nothing', async () => {
        strict.script = [
          { text: 'One.', calls: [echo('a')] },
          { text: 'Two.', calls: [echo('b')] },
          { text: 'Three.', calls: [echo('c'), echo('d')] },
        ];
        const history = [client.say('Begin.')];
        const answer = await ask(client, model, stream, history);
        expect(strict.script).toEqual([]);
        const kept = client.kept(answer);
        const calls = client.callsIn(kept);
        expect(calls.map(({ name, input }) => [name, input.value])).toEqual([
          ['ref-echo', 'c'],
          ['ref-echo', 'd'],
        ]);
        expect(TOOL_ENDS).toContain(client.endOf(answer));
        strict.script = [{ text: 'End.' }];
        const results = client.results(calls.map((call) => ({ ...call, text: String(call.input.value) })));
        const last = await ask(client, model, stream, [...history, ...kept, ...results]);
        expect(client.textOf(client.kept(last))).toBe('End.');
        const { accepted, refused } = strict.upstreams[upstream];
        expect(refused).toEqual([]);
        const [told] = accepted.slice(-1);
        expect(told && toldTurns(told).map(({ calls, results }) => [calls.join(), results.join()])).toEqual([
          ['ref-echo(a)', 'a'],
          ['ref-echo(b)', 'b'],
          ['ref-echo(c),ref-echo(d)', 'c,d'],
        ]);
      });
    });
  });
});
