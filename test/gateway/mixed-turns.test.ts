import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { post, testServer } from '../support/gateway.ts';
import { scriptedStrict } from '../support/scripted-strict.ts';
import type { StrictName } from '../support/strict-gateway.ts';
import type { StrictAnswer } from '../support/strict-server.ts';
import { type HandedCall, type ToolClient, toolClients } from '../support/tool-clients.ts';
import { type ToldTurn, toldTurns } from '../support/upstream-history.ts';

const strict = scriptedStrict({
  mcp: { client_configs: [testServer('ref', { tools_to_execute: ['echo', 'slow', 'fail'] })] },
});

const TARGETS: readonly (readonly [model: string, upstream: StrictName])[] = [
  ['openai/gpt-4o', 'openai'],
  ['anthropic/claude-sonnet-4-5', 'anthropic'],
  ['gemini/gemini-2.5-pro', 'gemini'],
  ['gemini/gemini-3-pro', 'gemini'],
  ['responder/gpt-4o', 'openai'],
  ['responder/gpt-5', 'openai'],
  ['groq/llama-3.3-70b-versatile', 'groq'],
];

/** `echo:a` is a call of the gateway's tool, `mine:a` one of the client's. */
const turn = (said: string | undefined, ...calls: string[]): StrictAnswer => ({
  ...(said !== undefined && { text: said }),
  ...(calls.length > 0 && {
    calls: calls.map((call) => {
      const [tool = '', value = ''] = call.split(':');
      const name = tool === 'mine' || tool === 'other' ? tool : `ref-${tool}`;
      return { name, input: { value, ...(tool === 'slow' && { ms: 25 }) } };
    }),
  }),
});

/** What the model must have been told of its turns. */
const told = ({ text = '', calls = [] }: StrictAnswer): ToldTurn => ({
  said: text,
  calls: calls.map(({ name, input }) => `${name}(${String(input.value)})`),
  results: calls.map(({ name, input }) =>
    name.startsWith('ref-') ? String(input.value) : `done:${String(input.value)}`,
  ),
  paired: true,
});

interface Walk {
  readonly history: JsonObject[];
  readonly answers: JsonObject[];
  readonly handed: HandedCall[];
}

/** A client that runs its own calls until there is none left. */
async function walk(
  client: ToolClient,
  models: readonly string[],
  stream: boolean,
  history: JsonObject[],
): Promise<Walk> {
  const answers: JsonObject[] = [];
  const handed: HandedCall[] = [];
  for (let step = 0; step < 9; step++) {
    const model = models[Math.min(step, models.length - 1)] ?? '';
    const url = `${strict.url}${client.path(model, stream)}`;
    const response = await post(url, client.body(history, { model, stream, tools: ['mine', 'other'] }));
    expect(response.status, response.status === 200 ? '' : await response.clone().text()).toBe(200);
    const answer = await client.whole(response, stream);
    answers.push(answer);
    const items = client.kept(answer);
    history.push(...items);
    const calls = client.callsIn(items);
    if (calls.length === 0) break;
    handed.push(...calls);
    history.push(...client.results(calls.map((call) => ({ ...call, text: `done:${String(call.input.value)}` }))));
  }
  return { history, answers, handed };
}

const SCENES: readonly (readonly [string, readonly StrictAnswer[]])[] = [
  [
    'parallel tools of the gateway',
    [turn('Go.', 'slow:a', 'echo:b', 'slow:c'), turn(undefined, 'echo:d'), turn('End.')],
  ],
  ['both kinds, alternating', [turn('Go.', 'echo:a', 'mine:b', 'echo:c', 'other:d'), turn('End.')]],
  ['both kinds, the client’s first', [turn(undefined, 'mine:a', 'other:b', 'slow:c', 'echo:d'), turn('End.')]],
  ['the same call several times', [turn('Go.', 'echo:a', 'mine:a', 'echo:a', 'mine:a'), turn('End.')]],
  [
    'rounds, mixed turns, rounds',
    [
      turn('One.', 'echo:a'),
      turn('Two.', 'mine:b', 'echo:c'),
      turn('Three.', 'echo:d', 'echo:e'),
      turn('Four.', 'echo:f', 'other:g'),
      turn('Five.', 'mine:h'),
      turn('Six.', 'echo:i'),
      turn('End.'),
    ],
  ],
];

describe.each(toolClients)('a client of $format', (client) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    describe.each(TARGETS)('%s', (model, upstream) => {
      test.each(SCENES)('%s', async (_name, steps) => {
        strict.script = [...steps];
        const { handed, history } = await walk(client, [model], stream, [client.say('Begin.')]);
        const { accepted, refused } = strict.upstreams[upstream];
        expect(refused).toEqual([]);
        expect(strict.script).toEqual([]);
        const theirs = steps.flatMap(({ calls = [] }) => calls).filter(({ name }) => !name.startsWith('ref-'));
        expect(handed.map(({ name, input }) => [name, input])).toEqual(theirs.map(({ name, input }) => [name, input]));
        const [last] = accepted.slice(-1);
        expect(last && toldTurns(last)).toEqual(steps.slice(0, -1).map(told));
        expect(client.textOf(history)).toMatch(/End\.$/);
      });
    });
  });
});
