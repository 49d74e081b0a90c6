import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callOf, firstText, startedClients, stdioConfig, until } from '../support/mcp-clients.ts';

const started = startedClients();

test('100 calls at once come back with their own results', async () => {
  const { clients } = await started([stdioConfig('one'), stdioConfig('two')]);
  const values = Array.from({ length: 100 }, (_, index) => `value ${index}`);
  const calls = values.map((value, index) => {
    const name = index % 2 ? 'one' : 'two';
    return index % 3
      ? clients.call(callOf(`${name}-echo`, { value }))
      : clients.call(callOf(`${name}-slow`, { value, ms: 100 - index }));
  });
  expect((await Promise.all(calls)).map(firstText)).toEqual(values);
});

test('calls of one server run side by side', async () => {
  const { clients } = await started([stdioConfig('ref')]);
  const ended: string[] = [];
  const note = (value: string, ms: number) =>
    clients.call(callOf('ref-slow', { value, ms })).then((result) => ended.push(firstText(result)));
  await Promise.all([note('late', 300), note('early', 1)]);
  expect(ended).toEqual(['early', 'late']);
});

test('a result of 5 MB arrives whole', async () => {
  const { clients } = await started([stdioConfig('ref')]);
  const length = 5_000_000;
  expect(firstText(await clients.call(callOf('ref-big', { length })))).toHaveLength(length);
});

test('a call that takes too long ends with the timeout of its client', async () => {
  const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '1s' })]);
  await expect(clients.call(callOf('ref-hang'))).rejects.toMatchObject({
    kind: 'timeout',
    message: 'MCP tool call timed out after 1s: ref-hang',
  });
  expect(firstText(await clients.call(callOf('ref-echo', { value: 'still here' })))).toBe('still here');
});

test('G1 progress keeps a call alive beyond its timeout, and is passed on', async () => {
  const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '1s' })]);
  const seen: number[] = [];
  const request = callOf(
    'ref-progress',
    { steps: 6, everyMs: 250 },
    { onProgress: ({ progress }) => seen.push(progress) },
  );
  expect(firstText(await clients.call(request))).toBe('done');
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
});

test('G1 progress keeps a call alive even when nobody listens to it', async () => {
  const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '1s' })]);
  expect(firstText(await clients.call(callOf('ref-progress', { steps: 6, everyMs: 250 })))).toBe('done');
});

test('G1 progress does not keep a call alive for ever', async () => {
  const { clients } = await started([stdioConfig('ref', { tool_execution_timeout: '1s' })], {
    timing: { progressFactor: 2 },
  });
  await expect(clients.call(callOf('ref-progress', { steps: 1_000, everyMs: 20 }))).rejects.toMatchObject({
    kind: 'timeout',
    message: 'MCP tool call timed out after 2s: ref-progress',
  });
});

test('H5 cancelling reaches the server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-'));
  const file = join(folder, 'state');
  try {
    const { clients } = await started([stdioConfig('ref')]);
    const controller = new AbortController();
    const call = clients.call(callOf('ref-cancellable', { file }, { signal: controller.signal }));
    const failure = expect(call).rejects.toMatchObject({ kind: 'cancelled' });
    await until(() => existsSync(file));
    controller.abort();
    await failure;
    await until(() => existsSync(file));
    while ((await readFile(file, 'utf8')) !== 'cancelled') await new Promise((next) => setTimeout(next, 5));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a signal that outlives its calls keeps nothing of them and cancels none of them later', async () => {
  const { clients, lines } = await started([stdioConfig('ref')]);
  const controller = new AbortController();
  for (let call = 0; call < 20; call += 1) {
    await clients.call(callOf('ref-echo', { value: call }, { signal: controller.signal }));
  }
  controller.abort();
  await expect(clients.call(callOf('ref-echo', {}, { signal: controller.signal }))).rejects.toMatchObject({
    kind: 'cancelled',
  });
  expect(lines.filter((line) => line.level === 'debug')).toEqual([]);
});

test('many calls under one signal make no noise, and one abort ends them all', async () => {
  const { clients } = await started([stdioConfig('ref')]);
  const warnings: string[] = [];
  const note = (warning: Error) => warnings.push(warning.message);
  process.on('warning', note);
  const controller = new AbortController();
  const { signal } = controller;
  const calls = Array.from({ length: 30 }, () => clients.call(callOf('ref-hang', {}, { signal })));
  await clients.call(callOf('ref-echo', {}, { signal }));
  controller.abort();
  const outcomes = await Promise.allSettled(calls);
  process.off('warning', note);
  expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.kind === 'cancelled')).toBe(true);
  expect(warnings).toEqual([]);
});

test("G18 what a tool calls an error is a result, and no failure of its server's", async () => {
  const { clients } = await started([stdioConfig('ref')]);
  expect(await clients.call(callOf('ref-fail'))).toMatchObject({
    isError: true,
    content: [{ text: 'it went wrong' }],
  });
  expect(clients.statuses()[0]?.state).toBe('healthy');
});

test('G19 an error result is not measured against the output schema, and structured content passes untouched', async () => {
  const { clients } = await started([stdioConfig('ref')]);
  expect(await clients.call(callOf('ref-bad_structured'))).toMatchObject({
    isError: true,
    structuredContent: { answer: 'not a number' },
  });
  expect(await clients.call(callOf('ref-structured'))).toEqual({ content: [], structuredContent: { answer: 42 } });
});

test("the caller's meta travels, except for its progress token", async () => {
  const { clients } = await started([stdioConfig('ref')]);
  const meta = { 'claudecode/toolUseId': 'toolu_1', progressToken: 'theirs' };
  const seen = JSON.parse(firstText(await clients.call(callOf('ref-meta', {}, { meta }))));
  expect(seen).toMatchObject({ 'claudecode/toolUseId': 'toolu_1' });
  expect(seen.progressToken).not.toBe('theirs');
});
