import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CodecId } from '../../src/model/content.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { lineOf, slipsIn } from './compare.ts';
import { expectedOf, FORMAT_OF, formatOf } from './expected.ts';
import { providerOf, type Stage, startStage } from './replay.ts';
import { type AskSdk, sdksAt } from './sdks.ts';

const FORMATS = Object.values(FORMAT_OF);
const ENDPOINTS = Object.keys(FORMAT_OF);
const recorded = new Map(ENDPOINTS.map((endpoint) => [endpoint, cases({ endpoint })]));
const AT_ONCE = 12;

let stage: Stage;
let sdks: Readonly<Record<CodecId, AskSdk>>;

describe.runIf(shared)('every recording, read by the official SDK of every format', () => {
  beforeAll(async () => {
    stage = await startStage();
    sdks = sdksAt(stage.gateway.url);
  });
  afterAll(() => stage.stop());

  const pairs = ENDPOINTS.flatMap((endpoint) => FORMATS.map((format) => [endpoint, format] as const));
  test.each(pairs)('%s for clients of %s', async (endpoint, format) => {
    const lines = await inParallel(recorded.get(endpoint) ?? [], (recording) => linesOf(recording, format));
    expect(lines.flat().join('\n')).toBe('');
  });
});

const modelOf = (recording: Recording): string => `${providerOf(recording)}/replay:${recording.id}`;

async function linesOf(recording: Recording, format: CodecId): Promise<string[]> {
  const { request, stream, id } = recording;
  const body = format === formatOf(recording) ? (request.body ?? {}) : undefined;
  const got = await sdks[format](modelOf(recording), stream, body);
  return slipsIn(expectedOf(recording, format), got).map((slip) => lineOf(id, format, slip));
}

/** What `work` gives for each item, some at a time, in the order of the items. */
async function inParallel<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
