import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import type { Recording } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import type { Format } from './answers.ts';
import { lineOf } from './compare.ts';
import { type Conversation, conversationsAt } from './conversations.ts';
import { FORMAT_OF, formatOf } from './expected.ts';
import { historyIn, stateIn } from './history.ts';
import { type Run, recordedRuns } from './recorded-runs.ts';
import { providerOf, type Stage, startStage } from './replay.ts';

const FORMATS = Object.values(FORMAT_OF);
const AT_ONCE = 8;

const runs = recordedRuns();

let stage: Stage;

describe.runIf(shared)('every recorded conversation, walked through the running gateway', () => {
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage.stop());

  test('there are as many as the index names', () => {
    expect(runs.length).toBe(92);
  });

  test.each(FORMATS)(
    'by a client of %s, with nothing of the history lost',
    async (format) => {
      const queue = [...runs];
      const lines: string[] = [];
      const worker = async () => {
        for (let run = queue.shift(); run; run = queue.shift()) lines.push(...(await walk(run, format)));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      expect(lines.sort().join('\n')).toBe('');
    },
    120_000,
  );
});

/** Walks a run from answer to answer; a line for each thing that an upstream request should have held. */
async function walk(run: Run, format: Format): Promise<string[]> {
  const names = [...new Set(run.flatMap(({ digest }) => (digest.toolCalls ?? []).map(({ name }) => name)))];
  // recordings of one text with other signatures: each run is a caller of its own
  const key = `sk-bf-${run[0]?.scenario?.id}`;
  const conversation = conversationsAt(stage.gateway.url, key)[format]({ names });
  const lines: string[] = [];
  const given: Given[] = [];
  for (const recording of run) {
    const since = stage.requests().length;
    const waiting = await conversation.ask(`${providerOf(recording)}/replay:${recording.id}`, recording.stream);
    const sent = stage.requests().slice(since);
    const asked = sent.find((request) => request.case === recording.id && isOf(request.body, given));
    if (!asked) return [`${recording.id} | ${format} | the upstream was not asked`];
    lines.push(...missing(asked.body, recording, format, given));
    given.push(reply(conversation, recording, waiting));
  }
  return lines;
}

/** What the client said to an answer. */
interface Given {
  readonly to: Recording;
  readonly texts: readonly string[];
  readonly isResult: boolean;
}

/** Several clients may ask for the same recording at once: this request holds what this one last said. */
const isOf = (body: JsonObject, given: readonly Given[]): boolean =>
  (given.at(-1)?.texts ?? []).every((text) => JSON.stringify(body).includes(text));

function reply(conversation: Conversation, to: Recording, waiting: number): Given {
  const texts = Array.from({ length: Math.max(1, waiting) }, (_, at) => `reply-${at}-to-${to.id}`);
  if (waiting > 0) conversation.giveResults(texts);
  else conversation.say(texts.join(''));
  return { to, texts, isResult: waiting > 0 };
}

function missing(body: JsonObject, recording: Recording, format: Format, given: readonly Given[]): string[] {
  const lines: string[] = [];
  const told = (field: string, expected: unknown, got: unknown) =>
    lines.push(lineOf(recording.id, format, { field, expected, got }));
  const upstream = formatOf(recording);
  const held = historyIn(upstream, body);
  const whole = JSON.stringify(body);
  for (const { to, texts, isResult } of given) {
    const { text = '', refusal = '', toolCalls = [] } = to.digest;
    if (!held.text.includes((text + refusal).trim())) told('text', text + refusal, held.text);
    for (const call of toolCalls) {
      const found = held.calls.some(
        ({ id, name, arguments: input }) =>
          (call.id === null || call.id === undefined || id === call.id) &&
          name === call.name &&
          isDeepStrictEqual(input, call.arguments ?? {}),
      );
      if (!found) told('call', call, held.calls);
    }
    for (const state of formatOf(to) === upstream ? stateIn(to) : []) {
      if (!whole.includes(state)) told('state', state, 'nothing');
    }
    for (const [at, said] of texts.entries()) {
      const result = held.results.find((one) => one.text.includes(said));
      if (!isResult && !whole.includes(said)) told('user', said, 'nothing');
      if (isResult && !result) told('result', said, held.results);
      const id = toolCalls[at]?.id;
      if (isResult && result && id && result.id !== id) told('result id', id, result.id);
    }
  }
  return lines;
}
