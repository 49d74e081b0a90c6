import { expect, test } from 'vitest';
import { lookAhead } from '../../../src/mcp/safety/looks.ts';

const description = 'Gives the records of one customer, newest first. '.repeat(10);
const definitions = Array.from({ length: 2_000 }, (_, n) => ({
  name: `tool_${n}`,
  description: `${description}${n}`,
  inputSchema: { type: 'object', properties: { id: { type: 'string', description: `${description}${n}` } } },
}));

/** How often others had their turn before `work` was done. */
async function turnsDuring(work: Promise<void>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const done = work.then(() => {
    isDone = true;
  });
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  await done;
  return turns;
}

test('two thousand tools seen for the first time are looked at between other work', async () => {
  expect(await turnsDuring(lookAhead(definitions, () => false))).toBeGreaterThan(2);
});

test('what a server lists beside tools is passed over', async () => {
  await expect(lookAhead([null, 'tool', 3, { name: 'one' }], () => false)).resolves.toBeUndefined();
});
