import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { logged } from '../../src/logs/logged.ts';
import { type Logs, type LogsOptions, openLogs } from '../../src/logs/logs.ts';
import { createMetrics } from '../../src/logs/metrics.ts';
import { logQueryOf, mcpLogQueryOf } from '../../src/logs/query.ts';
import type { ShownLog } from '../../src/logs/shown.ts';
import { GatewayError } from '../../src/model/errors.ts';
import type { ChatRequest } from '../../src/model/request.ts';
import { answering, callRecord, chatAnswer, chatBody, context, END, rawFrame, rawRequest, request } from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'logs-'));
const opened: Logs[] = [];
afterEach(async () => {
  for (const logs of opened.splice(0)) await logs.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const freshPath = (): string => join(folder, `logs-${++count}.db`);

function open(given: Partial<LogsOptions> = {}, closing: Logs[] = opened): { logs: Logs; warnings: string[] } {
  const warnings: string[] = [];
  const logs = openLogs({
    path: freshPath(),
    enabled: true,
    contentLogging: true,
    metrics: createMetrics(),
    costOf: () => undefined,
    warn: (message) => void warnings.push(message),
    ...given,
  });
  closing.push(logs);
  return { logs, warnings };
}

const query = (text = '') => logQueryOf(new URLSearchParams(text));
const listed = (logs: Logs, text = '') => {
  const { filters, paging } = query(text);
  return logs.listLogs(filters, paging);
};

async function log(logs: Logs, answer: string, given: Partial<ChatRequest> = {}): Promise<ShownLog> {
  const call = logged(answering(rawFrame(answer, [END])), logs.sink);
  const requestId = `request-${++count}`;
  for await (const _ of call(request(given), context({ requestId })));
  await logs.flush();
  const shown = await logs.getLog(requestId);
  if (!shown) throw new Error('the call is not in the log');
  return shown;
}

describe('the request log', () => {
  // starting a worker from sources takes a second, so these share one
  const { logs } = open({}, []);
  afterAll(() => logs.close());

  test('shows a call that travelled verbatim in readable words, and its bytes', async () => {
    const raw = rawRequest(chatBody('What is the weather?'));
    const shown = await log(logs, chatAnswer('Sunny.'), { raw, untouched: true });
    expect(shown).toMatchObject({
      object: 'chat_completion',
      provider: 'openai',
      model: 'gpt-4o',
      alias: 'openai/gpt-4o',
      status: 'success',
      cost: null,
      token_usage: {
        prompt_tokens: 12,
        completion_tokens: 5,
        total_tokens: 17,
        prompt_tokens_details: { cached_read_tokens: 4, cached_write_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
      attempt_trail: [{ provider: 'openai', key_name: 'main' }],
      losses: [],
      params: { temperature: 0.5 },
      input_history: [{ role: 'user', content: 'What is the weather?' }],
      output_message: { role: 'assistant', content: 'Sunny.' },
      raw_request: chatBody('What is the weather?'),
      raw_response: chatAnswer('Sunny.'),
    });
    expect(shown.timestamp).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test('shows a streamed call as one message, as far as it came', async () => {
    const chunk = (delta: object, finish: string | null = null): string =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    const cut = chunk({ role: 'assistant', content: 'Sun' }) + chunk({ content: 'ny' });
    const raw = rawRequest(chatBody('hi'));
    const shown = await log(logs, cut, { raw, untouched: true, stream: true });
    expect(shown.output_message).toMatchObject({ role: 'assistant', content: 'Sunny' });
    expect(shown.raw_response).toBe(cut);
  });

  test('shows a translated call, and what the gateway put behind the client’s body', async () => {
    const said = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'appended' }] };
    const shown = await log(logs, chatAnswer('ok'), {
      raw: rawRequest(chatBody('first')),
      messages: [...request().messages, said],
    });
    expect(shown.input_history).toMatchObject([{ content: 'first' }, { content: 'appended' }]);
  });

  test('shows contents that cannot be decoded as the text they are', async () => {
    const shown = await log(logs, '<html>bad gateway</html>', { raw: rawRequest('{"cut'), untouched: true });
    expect(shown).toMatchObject({ raw_request: '{"cut', raw_response: '<html>bad gateway</html>' });
    expect(shown.output_message).toBeUndefined();
  });

  test('a page behind everything is empty, however far', async () => {
    await log(logs, chatAnswer('ok'));
    expect(await listed(logs, 'offset=99999999999999999999')).toMatchObject({ logs: [], has_logs: true });
  });

  test('lists calls with a summary, their sums and their paging, and without their contents', async () => {
    const contents = {
      requestCodec: 'openai-chat',
      request: Buffer.from(chatBody('Tell me a joke')),
      truncated: false,
    };
    logs.sink.recordCall(callRecord({ id: 'a', operation: 'listed', startedAtMs: 1, contents }));
    logs.sink.recordCall(
      callRecord({ id: 'b', operation: 'listed', startedAtMs: 2, status: 'cancelled', costUsd: undefined }),
    );
    const error = new GatewayError('rate-limit', 'slow down', { status: 429, code: 'rate_limit_exceeded' });
    logs.sink.recordCall(
      callRecord({ id: 'c', operation: 'listed', startedAtMs: 3, status: 'error', error, usage: undefined }),
    );
    await logs.flush();
    const page = await listed(logs, 'objects=listed&limit=2&order=asc');
    expect(page).toMatchObject({
      pagination: { limit: 2, offset: 0, sort_by: 'timestamp', order: 'asc', total_count: 3 },
      stats: { total_requests: 3, success_rate: 50, total_tokens: 34, total_cost: 0.5, unknown_cost_requests: 1 },
      has_logs: true,
    });
    expect(page.logs.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(page.logs[0]?.content_summary).toBe('Tell me a joke');
    expect(page.logs[0]).not.toHaveProperty('raw_request');
    expect(await logs.getLog('c')).toMatchObject({
      token_usage: null,
      error_details: {
        status_code: 429,
        is_bifrost_error: false,
        error: { message: 'slow down', code: 'rate_limit_exceeded' },
      },
    });
    expect((await logs.logStats(query('objects=listed&status=error').filters)).total_requests).toBe(1);
    expect(await logs.getLog('missing')).toBeUndefined();
    expect(await logs.deleteLogs(['a', 'b'])).toBe(2);
  });

  test('keeps tool runs with what went in and came out', async () => {
    logs.sink.recordToolRun({
      id: 'run-1',
      llmRequestId: 'r',
      startedAtMs: 1_000,
      serverLabel: 'demo',
      toolName: 'echo',
      status: 'success',
      latencyMs: 3,
      costUsd: 0.01,
      metadata: { team: 'blue' },
      arguments: { text: 'hi' },
      result: { content: [{ type: 'text', text: 'hi' }] },
    });
    await logs.flush();
    const { filters, paging } = mcpLogQueryOf(new URLSearchParams('tool_names=echo'));
    const page = await logs.listMcpLogs(filters, paging);
    expect(page.stats).toEqual({ total_executions: 1, success_rate: 100, average_latency: 3, total_cost: 0.01 });
    const [shown] = page.logs;
    expect(shown).toMatchObject({
      llm_request_id: 'r',
      tool_name: 'echo',
      server_label: 'demo',
      arguments: { text: 'hi' },
      result: { content: [{ type: 'text', text: 'hi' }] },
      metadata: { team: 'blue' },
      cost: 0.01,
    });
    expect(await logs.getMcpLog(shown?.id ?? '')).toEqual(shown);
  });

  test('a tool run that goes on is found by whoever looks, and its end takes the place of what he found', async () => {
    const { logs } = open();
    const { filters, paging } = mcpLogQueryOf(new URLSearchParams(''));
    const seen = async () => (await logs.listMcpLogs(filters, paging)).logs;
    const start = { id: 'long', startedAtMs: 1_000, serverLabel: 'demo', toolName: 'dig', arguments: { deep: true } };
    logs.sink.beginToolRun(start);
    expect(await seen()).toMatchObject([
      { id: 'long', status: 'processing', latency: null, arguments: { deep: true } },
    ]);
    expect(await logs.mcpLogStats(filters)).toMatchObject({ total_executions: 1, success_rate: 0, average_latency: 0 });
    logs.sink.recordToolRun({ ...start, status: 'success', latencyMs: 9, result: { content: [] }, costUsd: 0.5 });
    expect(await seen()).toMatchObject([
      { id: 'long', status: 'success', latency: 9, cost: 0.5, arguments: { deep: true }, result: { content: [] } },
    ]);
    expect(await logs.mcpLogStats(filters)).toMatchObject({
      total_executions: 1,
      success_rate: 100,
      average_latency: 9,
    });
  });

  test('a tool run that nobody looks at while it goes on is one row, written when it ends', async () => {
    const { logs } = open();
    const start = { id: 'short', startedAtMs: 1_000, serverLabel: 'demo', toolName: 'dig' };
    logs.sink.beginToolRun(start);
    logs.sink.recordToolRun({ ...start, status: 'success', latencyMs: 1 });
    await logs.flush();
    expect(logs.counters()).toMatchObject({ rowsWritten: 1 });
  });

  test('what an earlier gateway left as going on has failed', async () => {
    const path = freshPath();
    const { logs: earlier } = open({ path });
    earlier.sink.beginToolRun({ id: 'left', startedAtMs: 1_000, serverLabel: 'demo', toolName: 'dig' });
    expect(await earlier.getMcpLog('left')).toMatchObject({ status: 'processing' });
    await earlier.close();
    const { logs } = open({ path });
    logs.sink.beginToolRun({ id: 'own', startedAtMs: 2_000, serverLabel: 'demo', toolName: 'dig' });
    expect(await logs.getMcpLog('left')).toMatchObject({
      status: 'error',
      error_details: { error: { message: 'the gateway ended before the tool did' } },
    });
    expect(await logs.getMcpLog('own')).toMatchObject({ status: 'processing' });
  });

  test('keeps numbers only when contents are switched off', async () => {
    const { logs } = open({ contentLogging: false });
    const shown = await log(logs, chatAnswer('secret'), { raw: rawRequest(chatBody('secret')), untouched: true });
    expect(JSON.stringify(shown)).not.toContain('secret');
    logs.sink.recordToolRun({
      id: 't',
      startedAtMs: 1,
      serverLabel: 's',
      toolName: 't',
      status: 'success',
      latencyMs: 1,
      arguments: { secret: 1 },
    });
    await logs.flush();
    expect(await logs.getMcpLog('t')).not.toHaveProperty('arguments');
  });

  test('switched off, counts calls, writes nothing, and says why it cannot be read', async () => {
    const metrics = createMetrics();
    const { logs } = open({ enabled: false, metrics });
    logs.sink.recordCall(callRecord());
    expect(logs.sink.keepsContentsOf({ forwardHeaders: {}, keepsContents: true })).toBe(false);
    expect(metrics.text()).toMatch(/bifrost_upstream_requests_total\{.*\} 1/);
    await expect(listed(logs)).rejects.toThrow('request logs are off');
  });
});

test('the database is there before the first row, once the log is told to start', async () => {
  const path = freshPath();
  const { logs } = open({ path });
  logs.start();
  await expect.poll(() => existsSync(path), { timeout: 20_000 }).toBe(true);
  expect(logs.counters()).toMatchObject({ rowsWritten: 0, rowsFailed: 0 });
});

describe('at the end', () => {
  test('whoever reads it finds what was recorded a moment before', async () => {
    const { logs } = open();
    logs.sink.recordCall(callRecord({ id: 'just-now' }));
    expect(await logs.getLog('just-now')).toBeDefined();
  });

  test('closing loses nothing that was recorded', async () => {
    const path = freshPath();
    const { logs } = open({ path });
    for (let index = 0; index < 1_234; index++) logs.sink.recordCall(callRecord({ id: `${index}` }));
    await logs.close();
    const database = new Database(path, { readonly: true });
    expect(database.prepare('select count(*) as rows from logs').get()).toEqual({ rows: 1_234 });
    database.close();
  });

  test('a database that never answers does not keep the gateway from ending', async () => {
    const path = freshPath();
    const { logs } = open({ path });
    logs.sink.recordCall(callRecord({ id: 'a' }));
    await logs.flush();
    const other = new Database(path);
    other.exec('begin exclusive');
    logs.sink.recordCall(callRecord({ id: 'b' }));
    await logs.close(50);
    other.close();
    expect(logs.counters().rowsFailed).toBe(1);
  });
});

describe('a log database in trouble', () => {
  test('J1 that cannot be opened is told once, its rows are counted, and nothing stops', async () => {
    const { logs, warnings } = open({ path: join(folder, 'no', 'such', 'folder', 'logs.db') });
    for (let index = 0; index < 3; index++) {
      logs.sink.recordCall(callRecord({ id: `${index}` }));
      await logs.flush();
    }
    expect(logs.counters()).toMatchObject({ rowsFailed: 3, rowsWaiting: 0 });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('no/such/folder/logs.db failed');
    await expect(logs.getLog('0')).rejects.toMatchObject({ kind: 'internal' });
  });

  test('J13 that somebody else locks for a while loses nothing, and what waits is bounded', async () => {
    const path = freshPath();
    const { logs, warnings } = open({ path, queue: { maxRows: 500, maxBytes: 50_000 } });
    logs.sink.recordCall(callRecord({ id: 'first' }));
    await logs.flush();
    const other = new Database(path);
    other.exec('begin exclusive');
    const contents = { requestCodec: 'openai-chat', request: Buffer.alloc(1_000, 'x'), truncated: false };
    for (let index = 0; index < 2_000; index++) logs.sink.recordCall(callRecord({ id: `${index}`, contents }));
    expect(logs.counters()).toMatchObject({
      rowsWaiting: 500,
      bytesWaiting: expect.toSatisfy((bytes) => bytes <= 50_000),
    });
    other.exec('commit');
    other.close();
    await logs.flush();
    expect(logs.counters()).toMatchObject({ rowsWritten: 501, rowsDropped: 1_500, rowsFailed: 0 });
    expect(warnings).toEqual([]);
  });

  test('that is deleted while it is in use is told, and made anew for the rows that follow', async () => {
    const path = freshPath();
    const { logs, warnings } = open({ path });
    logs.sink.recordCall(callRecord({ id: 'before' }));
    await logs.flush();
    rmSync(path);
    logs.sink.recordCall(callRecord({ id: 'after' }));
    await logs.flush();
    expect(logs.counters()).toMatchObject({ rowsWritten: 2, rowsFailed: 0 });
    expect(warnings).toEqual([expect.stringMatching(/was moved or deleted in use; a new one is made/)]);
    expect((await listed(logs)).logs.map(({ id }) => id)).toEqual(['after']);
    const database = new Database(path, { readonly: true });
    expect(database.prepare('select id from logs').all()).toEqual([{ id: 'after' }]);
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    database.close();
  });

  test('that is moved away takes its rows along', async () => {
    const path = freshPath();
    const { logs } = open({ path });
    logs.sink.recordCall(callRecord({ id: 'before' }));
    await logs.flush();
    renameSync(path, `${path}.old`);
    logs.sink.recordCall(callRecord({ id: 'after' }));
    await logs.flush();
    const old = new Database(`${path}.old`, { readonly: true });
    expect(old.prepare('select id from logs').all()).toEqual([{ id: 'before' }]);
    old.close();
  });

  test('that is no database is told with what to do, and left as it is', async () => {
    const path = freshPath();
    writeFileSync(path, 'no database '.repeat(1_000));
    const { logs, warnings } = open({ path });
    logs.sink.recordCall(callRecord({ id: 'a' }));
    await logs.flush();
    expect(logs.counters()).toMatchObject({ rowsFailed: 1 });
    expect(warnings).toEqual([expect.stringMatching(/not a database; move the file away, and a new one is made/)]);
    expect(readFileSync(path, 'utf8')).toMatch(/^no database no/);
  });

  test('that two gateways share gets the rows of both', async () => {
    const path = freshPath();
    const pair = [open({ path }), open({ path })];
    const rows = 300;
    for (let index = 0; index < rows; index++) {
      pair.forEach(({ logs }, of) => void logs.sink.recordCall(callRecord({ id: `${of}-${index}` })));
    }
    await Promise.all(pair.map(({ logs }) => logs.flush()));
    expect(pair.map(({ logs }) => logs.counters().rowsWritten)).toEqual([rows, rows]);
    expect(pair.flatMap(({ warnings }) => warnings)).toEqual([]);
    const database = new Database(path, { readonly: true });
    expect(database.prepare('select count(*) as rows from logs').get()).toEqual({ rows: 2 * rows });
    database.close();
  });

  test('J1 removes what is too old by itself', async () => {
    const { logs } = open({ limits: { retentionDays: 1 }, sweepEveryMs: 20 });
    logs.sink.recordCall(callRecord({ id: 'old', startedAtMs: Date.now() - 2 * 86_400_000 }));
    logs.sink.recordCall(callRecord({ id: 'new', startedAtMs: Date.now() }));
    await logs.flush();
    await expect.poll(async () => (await listed(logs)).logs.map(({ id }) => id)).toEqual(['new']);
  });
});
