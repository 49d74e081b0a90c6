import { isDeepStrictEqual } from 'node:util';
import { type Answer, type Failure, isFailure } from './answers.ts';
import { ANY_ID, type Expected } from './expected.ts';

/** A field in which an answer departs from what was expected. */
export interface Slip {
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
}

export function slipsIn(expected: Expected | Pick<Failure, 'failed' | 'status'>, got: Answer | Failure): Slip[] {
  if ('failed' in expected) return failureSlips(expected, got);
  if (isFailure(got)) return [{ field: 'error', expected: 'an answer', got: `${got.status}: ${got.message}` }];
  const { calls, usage, ...plain } = expected;
  const slips: Slip[] = [];
  const check = (field: string, wanted: unknown, found: unknown) => {
    if (!isDeepStrictEqual(wanted, found)) slips.push({ field, expected: wanted, got: found });
  };
  for (const field of ['text', 'refusal', 'reasoning', 'finish'] as const) {
    if (plain[field] !== undefined) check(field, plain[field], got[field]);
  }
  if (calls) {
    const ids = got.calls.map(({ id }, at) => (calls[at]?.id === ANY_ID && id !== '' ? ANY_ID : vendorsId(id)));
    check(
      'calls',
      calls,
      got.calls.map((call, at) => ({ ...call, id: ids[at] })),
    );
  }
  for (const [name, count] of Object.entries(usage ?? {})) {
    check(`usage.${name}`, count, got.usage[name as keyof typeof got.usage]);
  }
  return slips;
}

/** Gemini's signatures travel behind the id of their call, for clients that keep nothing else. */
const vendorsId = (id: string): string => id.split('_ts_')[0] ?? id;

/** An error inside a stream has no status; it may have one all the same when it came before any content. */
function failureSlips(expected: Pick<Failure, 'status'>, got: Answer | Failure): Slip[] {
  if (!isFailure(got)) return [{ field: 'error', expected: expected.status ?? 'an error', got: got.finish }];
  if (expected.status === undefined || expected.status === got.status) return [];
  return [{ field: 'error', expected: expected.status, got: got.status ?? got.message }];
}

const MAX_SHOWN = 160;

/** A slip in one line. */
export function lineOf(recording: string, format: string, { field, expected, got }: Slip): string {
  const [wanted, found] = [shown(expected), shown(got)];
  return `${recording} | ${format} | ${field} | expected ${around(wanted, found)} | got ${around(found, wanted)}`;
}

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);

/** Long texts are shown from a little before the place where they part. */
function around(text: string, other: string): string {
  if (text.length <= MAX_SHOWN) return text;
  let at = 0;
  while (at < text.length && text[at] === other[at]) at += 1;
  const start = Math.max(0, at - 30);
  return `${start > 0 ? '…' : ''}${text.slice(start, start + MAX_SHOWN)}${start + MAX_SHOWN < text.length ? '…' : ''}`;
}
