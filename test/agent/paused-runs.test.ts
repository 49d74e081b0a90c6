import { describe, expect, test } from 'vitest';
import { PausedRuns, type PauseLimits } from '../../src/agent/paused-runs.ts';
import type { PausedRun, ToolOutput } from '../../src/agent/tools.ts';
import type { Part, ToolResultPart } from '../../src/model/content.ts';
import { call, contextFor, requestFor, text } from '../support/scripted-model.ts';

const LIMITS: PauseLimits = { maxWaiting: 2, waitMs: 60_000, maxKnown: 10 };

const output = (value: string): ToolOutput => ({ content: [text(value)], isError: false });

const result = (callId: string, value: string): Part => ({
  type: 'tool-result',
  callId,
  content: [text(value)],
  isError: false,
});

/** A run that waits for `id`, and ends with what its call gave. */
class Run implements PausedRun {
  readonly calls;
  resumed = 0;
  abandoned = 0;
  readonly #then: PausedRun | undefined;

  constructor(id: string, then?: PausedRun) {
    this.calls = [{ type: 'tool-call', id, name: 'fs-delete', input: '{}' } as const];
    this.#then = then;
  }

  async resume(results: ReadonlyMap<string, ToolResultPart>): Promise<ToolOutput> {
    this.resumed += 1;
    await Promise.resolve();
    const [given] = results.get(this.calls[0]?.id ?? '')?.content ?? [];
    return {
      ...output(`it gave ${given?.type === 'text' ? given.text : 'nothing'}`),
      ...(this.#then && { paused: this.#then }),
    };
  }

  abandon(): void {
    this.abandoned += 1;
  }
}

/** The history as a client sends it that was handed `id`, with its results. */
const history = (mark: string, ...answers: readonly Part[]) =>
  requestFor({
    messages: [
      { role: 'user', parts: [text('go')] },
      { role: 'assistant', parts: [call('run', 'executeToolCode')] },
      { role: 'tool', parts: [result('run', `Paused (${mark})`)] },
      ...answers.flatMap((answer) => [
        { role: 'assistant', parts: [call(answer.type === 'tool-result' ? answer.callId : '', 'fs-delete')] } as const,
        { role: 'tool', parts: [answer] } as const,
      ]),
    ],
  });

const settled = async (paused: PausedRuns, request: ReturnType<typeof history>, owner = 'me') =>
  paused.settling(owner, request)?.(contextFor());

describe('a run that waits for a client', () => {
  test('goes on with the result, which the model sees as that of the run', async () => {
    const paused = new PausedRuns(LIMITS);
    paused.hold('me', new Run('h1'));
    const done = await settled(paused, history('h1', result('h1', 'yes')));
    expect(done?.calls).toEqual([]);
    expect(done?.request.messages).toEqual([
      { role: 'user', parts: [text('go')] },
      { role: 'assistant', parts: [call('run', 'executeToolCode')] },
      { role: 'tool', parts: [result('run', 'it gave yes')] },
    ]);
  });

  test('goes on once, however often the history comes', async () => {
    const paused = new PausedRuns(LIMITS);
    const run = new Run('h1');
    paused.hold('me', run);
    const request = history('h1', result('h1', 'yes'));
    const both = await Promise.all([settled(paused, request), settled(paused, request)]);
    expect(both[0]).toEqual(both[1]);
    expect((await settled(paused, request))?.request).toEqual(both[0]?.request);
    expect(run.resumed).toBe(1);
  });

  test('that pauses again hands over the next calls, and ends with the last', async () => {
    const paused = new PausedRuns(LIMITS);
    paused.hold('me', new Run('h1', new Run('h2')));
    expect((await settled(paused, history('h1', result('h1', 'a'))))?.calls).toMatchObject([{ id: 'h2' }]);
    const last = await settled(paused, history('h1', result('h1', 'a'), result('h2', 'b')));
    expect(last?.request.messages.at(-1)).toEqual({ role: 'tool', parts: [result('run', 'it gave b')] });
    expect(last?.request.messages).toHaveLength(3);
  });

  test('of another caller is not touched', async () => {
    const paused = new PausedRuns(LIMITS);
    paused.hold('me', new Run('h1'));
    expect(await settled(paused, history('h1', result('h1', 'yes')), 'you')).toBeUndefined();
  });

  test('whose own call has left the history leaves the rest as it is', async () => {
    const paused = new PausedRuns(LIMITS);
    paused.hold('me', new Run('h1'));
    expect(await settled(paused, history('something else', result('h1', 'yes')))).toBeUndefined();
  });

  test('gives way to newer ones, and says so', async () => {
    const paused = new PausedRuns(LIMITS);
    const runs = ['h1', 'h2', 'h3'].map((id) => new Run(id));
    for (const run of runs) paused.hold('me', run);
    expect(runs.map(({ abandoned }) => abandoned)).toEqual([1, 0, 0]);
    const late = await settled(paused, history('h1', result('h1', 'yes')));
    expect(JSON.stringify(late?.request.messages.at(-1))).toMatch(/given up, because it waited too long/);
    paused.close();
    expect(runs.map(({ abandoned }) => abandoned)).toEqual([1, 1, 1]);
  });

  test('that fails tells the model why', async () => {
    const paused = new PausedRuns(LIMITS);
    const run = new Run('h1');
    run.resume = () => Promise.reject(new Error('no engine'));
    paused.hold('me', run);
    const done = await settled(paused, history('h1', result('h1', 'yes')));
    expect(done?.request.messages.at(-1)?.parts).toMatchObject([
      { isError: true, content: [{ text: 'The run ended: no engine' }] },
    ]);
  });
});
