import { describe, expect, test } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { post, testServer } from '../support/gateway.ts';
import { scriptedStrict } from '../support/scripted-strict.ts';
import type { StrictName } from '../support/strict-gateway.ts';
import { textOf } from '../support/strict-server.ts';
import { type HandedCall, type ToolClient, toolClients } from '../support/tool-clients.ts';
import { type ToldTurn, toldTurns } from '../support/upstream-history.ts';

const strict = scriptedStrict({
  mcp: { client_configs: [testServer('ref', { tools_to_execute: ['echo'] })] },
});

const TARGETS: readonly (readonly [model: string, upstream: StrictName])[] = [
  ['openai/gpt-4o', 'openai'],
  ['anthropic/claude-sonnet-4-5', 'anthropic'],
  ['gemini/gemini-3-pro', 'gemini'],
  ['responder/gpt-5', 'openai'],
];

type Results = (HandedCall & { readonly text: string })[];

/** What a client makes of its history before it asks again. `kept` is the answer as it came. */
interface Meddling {
  readonly name: string;
  readonly of: (client: ToolClient, kept: JsonObject[], results: Results) => JsonObject[];
  readonly told: readonly ToldTurn[];
  /** Where a call stood cannot be known once its neighbours are gone. */
  readonly anyOrder?: true;
}

/** The items without one call, whatever the format. */
const without = (items: JsonObject[], name: string): JsonObject[] =>
  items.filter((item) => !isCallOf(item, name)).map((item) => pruned(item, name));

const pruned = (item: JsonObject, name: string): JsonObject =>
  Object.fromEntries(
    Object.entries(item).map(([key, value = null]): [string, JsonValue] => {
      if (Array.isArray(value)) return [key, without(value.filter(isObject), name)];
      return [key, isObject(value) ? pruned(value, name) : value];
    }),
  );

function isCallOf(item: JsonObject, name: string): boolean {
  const inner = item.function ?? item.functionCall ?? item.toolUse ?? (/_(use|call)$/.test(textOf(item.type)) && item);
  return isObject(inner) && inner.name === name;
}

/** The arguments of one call, whatever the format. */
const changed = (items: JsonObject[]): JsonObject[] =>
  JSON.parse(JSON.stringify(items).replaceAll('"b"', '"B"').replaceAll('\\"b\\"', '\\"B\\"'));

const whole: ToldTurn = {
  said: 'Go.',
  calls: ['mine(b)', 'ref-echo(a)', 'other(d)', 'ref-echo(c)'],
  results: ['done:b', 'a', 'done:d', 'c'],
  paired: true,
};
const only = (at: readonly number[]): ToldTurn => ({
  ...whole,
  calls: whole.calls.filter((_call, index) => at.includes(index)),
  results: whole.results.filter((_call, index) => at.includes(index)),
});

const MEDDLINGS: readonly Meddling[] = [
  {
    name: 'nothing',
    of: (client, kept, results) => [client.say('Begin.'), ...kept, ...client.results(results)],
    told: [whole],
  },
  {
    name: 'results in another order',
    of: (client, kept, results) => [client.say('Begin.'), ...kept, ...client.results([...results].reverse())],
    told: [whole],
  },
  {
    name: 'results in messages of their own',
    of: (client, kept, results) => [client.say('Begin.'), ...kept, ...results.flatMap((one) => client.results([one]))],
    told: [whole],
  },
  {
    name: 'the first call dropped',
    of: (client, kept, results) => [
      client.say('Begin.'),
      ...without(kept, 'mine'),
      ...client.results(results.slice(1)),
    ],
    told: [only([1, 2, 3])],
    anyOrder: true,
  },
  {
    name: 'the last call dropped',
    of: (client, kept, results) => [
      client.say('Begin.'),
      ...without(kept, 'other'),
      ...client.results(results.slice(0, 1)),
    ],
    told: [only([0, 1, 3])],
  },
  {
    name: 'arguments changed',
    of: (client, kept, results) => [client.say('Begin.'), ...changed(kept), ...client.results(results)],
    told: [{ ...whole, calls: ['mine(B)', 'ref-echo(a)', 'other(d)', 'ref-echo(c)'] }],
  },
  {
    name: 'the question changed',
    of: (client, kept, results) => [client.say('Something else.'), ...kept, ...client.results(results)],
    told: [whole],
  },
  {
    name: 'a remark behind the results',
    of: (client, kept, results) => [client.say('Begin.'), ...kept, ...client.results(results), client.say('Well?')],
    told: [whole],
  },
  {
    name: 'other turns before it',
    of: (client, kept, results) => [client.say('Before.'), client.say('Begin.'), ...kept, ...client.results(results)],
    told: [whole],
  },
];

const sorted = ({ calls, results, ...rest }: ToldTurn): ToldTurn => ({
  ...rest,
  calls: [...calls].sort(),
  results: [...results].sort(),
});

describe.each(toolClients)('a client of $format that goes on with', (client) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    describe.each(TARGETS)('%s', (model, upstream) => {
      test.each(MEDDLINGS)('$name', async ({ of, told, anyOrder }) => {
        strict.script = [
          {
            text: 'Go.',
            calls: [
              { name: 'mine', input: { value: 'b' } },
              { name: 'ref-echo', input: { value: 'a' } },
              { name: 'other', input: { value: 'd' } },
              { name: 'ref-echo', input: { value: 'c' } },
            ],
          },
          { text: 'End.' },
        ];
        const ask = async (history: JsonObject[]) => {
          const url = `${strict.url}${client.path(model, stream)}`;
          const response = await post(url, client.body(history, { model, stream, tools: ['mine', 'other'] }));
          expect(response.status, response.status === 200 ? '' : await response.clone().text()).toBe(200);
          return client.kept(await client.whole(response, stream));
        };
        const kept = await ask([client.say('Begin.')]);
        const results = client.callsIn(kept).map((call) => ({ ...call, text: `done:${String(call.input.value)}` }));
        const answer = await ask(of(client, kept, results));
        expect(strict.upstreams[upstream].refused).toEqual([]);
        expect(client.textOf(answer)).toBe('End.');
        const [last] = strict.upstreams[upstream].accepted.slice(-1);
        const turns = last ? toldTurns(last) : [];
        expect(anyOrder ? turns.map(sorted) : turns).toEqual(anyOrder ? told.map(sorted) : told);
      });
    });
  });
});
