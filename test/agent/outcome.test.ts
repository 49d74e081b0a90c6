import { expect, test } from 'vitest';
import { outcomeOf } from '../../src/agent/outcome.ts';
import type { FinishReason } from '../../src/model/event.ts';
import { call, text } from '../support/scripted-model.ts';

const ours = new Set(['fs-read', 'fs-list']);
const a = call('a', 'fs-read');
const b = call('b', 'Bash');

const outcome = (
  parts: Parameters<typeof outcomeOf>[0]['parts'],
  round = 0,
  kind: FinishReason['kind'] = 'tool-calls',
) => outcomeOf({ parts, reason: { kind }, ours, round, maxDepth: 2 });

test.each([
  ['text alone is the answer', [text('hi')], 0, { type: 'answer' }],
  ['our calls run', [text('hi'), a], 0, { type: 'run-tools', calls: [a] }],
  ['the last allowed round runs', [a], 1, { type: 'run-tools', calls: [a] }],
  ['past the depth our calls are handed over', [a], 2, { type: 'depth-reached', calls: [a] }],
  ["the client's calls go back", [b], 0, { type: 'hand-back', ours: [], theirs: [b] }],
  ["past the depth the client's calls still go back", [b], 9, { type: 'hand-back', ours: [], theirs: [b] }],
  ['a mixed turn runs ours and hands back theirs', [a, b], 0, { type: 'hand-back', ours: [a], theirs: [b] }],
  ['a mixed turn past the depth runs nothing', [a, b], 2, { type: 'hand-back', ours: [], theirs: [a, b] }],
] as const)('%s', (_what, parts, round, expected) => {
  expect(outcome(parts, round)).toEqual(expected);
});

test('a call that was cut off by the output limit is never run', () => {
  expect(outcome([call('a', 'fs-read', '{"pa')], 0, 'length')).toEqual({ type: 'answer' });
});

test("a call that the provider runs itself is nobody's to run", () => {
  expect(outcome([{ ...a, owner: 'provider' } as typeof a])).toEqual({ type: 'answer' });
});
