import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { StreamEvent } from '../../src/model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { eventsOf, foldAll } from '../../src/model/response.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { FORMAT_OF, formatOf } from './expected.ts';

/** What a member of an answer is replaced by; undefined takes it out. */
const REPLACEMENTS: readonly (JsonValue | undefined)[] = [undefined, null, '', {}, [], 7, [null]];
const MUTANTS_PER_RECORDING = 12;

type Path = readonly (string | number)[];

/** Every place in a value. */
function pathsIn(value: JsonValue, path: Path = []): Path[] {
  const inner = Array.isArray(value)
    ? value.flatMap((item, at) => pathsIn(item, [...path, at]))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : pathsIn(member, [...path, key])))
      : [];
  return path.length === 0 ? inner : [path, ...inner];
}

/** The value with another one at a place. */
function replaced(value: JsonValue, [step, ...rest]: Path, by: JsonValue | undefined): JsonValue {
  if (step === undefined) return by ?? null;
  const copy = structuredClone(value);
  if (Array.isArray(copy)) copy[Number(step)] = replaced(copy[Number(step)] ?? null, rest, by);
  else if (isObject(copy) && rest.length === 0 && by === undefined) delete copy[String(step)];
  else if (isObject(copy)) copy[String(step)] = replaced(copy[String(step)] ?? null, rest, by);
  return copy;
}

/** The data of the events of an answer; a whole answer is one. */
function chunksOf({ response }: Recording): JsonObject[] {
  if (response.sse === undefined) return [response.body ?? {}];
  const lines = response.sse.split(/\r?\n/).filter((line) => line.startsWith('data:') && line.includes('{'));
  return lines.map((line) => JSON.parse(line.slice('data:'.length)));
}

function read(recording: Recording, chunks: readonly JsonObject[]): StreamEvent[] {
  const codec = codecs[formatOf(recording)];
  const [only] = chunks;
  if (recording.response.sse === undefined) return eventsOf(codec.decodeResponse(only ?? {}));
  const decoder = codec.decodeStream();
  const events = chunks.flatMap((chunk) => decoder.push({ data: JSON.stringify(chunk) }));
  return [...events, ...decoder.end()];
}

/** What comes of reading an answer and writing it anew: it is understood, refused with a reason, or a fault of ours. */
function outcome(recording: Recording, chunks: readonly JsonObject[]): string {
  try {
    const events = read(recording, chunks);
    for (const codec of Object.values(codecs)) {
      events.map(codec.encodeStream({ model: 'm', createdAtMs: 1 }));
      codec.encodeResponse(foldAll(events));
    }
    return 'read';
  } catch (thrown) {
    return thrown instanceof GatewayError ? 'refused' : String(thrown instanceof Error ? thrown.stack : thrown);
  }
}

/** Repeatable: the same numbers for the same seed. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    // the low bits of such a series repeat after a few numbers
    yield Math.floor(state / 65_536);
  }
}

describe.runIf(shared)('answers like the recorded ones, with something else in one place', () => {
  test.each(Object.keys(FORMAT_OF))(
    'of %s are read, or refused with a reason',
    (endpoint) => {
      const counts = { read: 0, refused: 0 };
      const faults = new Set<string>();
      for (const recording of cases({ endpoint }).filter(({ digest }) => !digest.error)) {
        const chunks = chunksOf(recording);
        const random = numbers(recording.id.length * 7_919 + chunks.length);
        const pick = <Item>(items: readonly Item[]): Item | undefined => items[random.next().value % items.length];
        for (let nth = 0; nth < MUTANTS_PER_RECORDING; nth += 1) {
          const at = random.next().value % chunks.length;
          const chunk = chunks[at] ?? {};
          const path = pick(pathsIn(chunk)) ?? [];
          const mutant = replaced(chunk, path, pick(REPLACEMENTS));
          const found = outcome(recording, chunks.with(at, isObject(mutant) ? mutant : {}));
          if (found === 'read' || found === 'refused') counts[found] += 1;
          else faults.add(`${path.filter((step) => typeof step === 'string').join('.')}: ${found.slice(0, 400)}`);
        }
      }
      expect([...faults].slice(0, 12)).toEqual([]);
      expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(5);
    },
    120_000,
  );
});
