import { describe, expect, test } from 'vitest';
import type { LogFilters, LogPaging } from '../../src/stores/log-filters.ts';
import type { LogStore } from '../../src/stores/log-store.ts';
import { CONTENT_COLUMNS, FACT_COLUMNS, type Row } from '../../src/stores/schema.ts';

type Facts = Readonly<Record<string, string | number | null>>;
type Contents = Readonly<Record<string, string | Uint8Array | null>>;

const CALL: Facts = {
  parent_request_id: null,
  timestamp_ms: 1_000,
  object: 'chat_completion',
  provider: 'openai',
  model: 'gpt-4o',
  requested_model: 'openai/gpt-4o',
  status: 'success',
  stream: 0,
  latency_ms: 10,
  first_token_ms: null,
  input_tokens: 7,
  output_tokens: 3,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  reasoning_tokens: 0,
  total_tokens: 10,
  cost_usd: 0.5,
  stop_reason: 'stop',
  key_name: 'main',
  virtual_key_id: null,
  virtual_key_name: null,
  retries: 0,
  fallback_index: 0,
  attempts: null,
  losses: null,
  error: null,
  user_agent: null,
  metadata: null,
  content_state: 0,
};

const TOOL_RUN: Facts = {
  llm_request_id: null,
  timestamp_ms: 1_000,
  tool_name: 'echo',
  server_label: 'demo',
  virtual_key_id: null,
  virtual_key_name: null,
  latency_ms: 5,
  cost_usd: null,
  status: 'success',
  error: null,
  metadata: null,
  content_state: 0,
};

function call(id: string, facts: Facts = {}, contents?: Contents): Row {
  const named: Facts = { ...CALL, id, ...facts };
  const row = FACT_COLUMNS.logs.map((column) => named[column] ?? null);
  return contents
    ? { facts: row, contents: CONTENT_COLUMNS.logs.map((column) => contents[column] ?? null) }
    : { facts: row };
}

function toolRun(id: string, facts: Facts = {}, contents?: Contents): Row {
  const named: Facts = { ...TOOL_RUN, id, ...facts };
  const row = FACT_COLUMNS.mcp_logs.map((column) => named[column] ?? null);
  return contents
    ? { facts: row, contents: CONTENT_COLUMNS.mcp_logs.map((column) => contents[column] ?? null) }
    : { facts: row };
}

const PAGING: LogPaging = { limit: 50, offset: 0, sortBy: 'timestamp', order: 'asc' };

/** What every log store must hold to. `open` gives an empty one. */
export function describeLogStore(name: string, open: () => Promise<LogStore>): void {
  const withStore = (run: (store: LogStore) => Promise<void>) => async (): Promise<void> => {
    const store = await open();
    try {
      await run(store);
    } finally {
      await store.close();
    }
  };
  const ids = async (store: LogStore, filters: LogFilters, paging: Partial<LogPaging> = {}): Promise<string[]> =>
    (await store.listLogs(filters, { ...PAGING, ...paging })).rows.map(({ id }) => id);

  describe(`${name} as a log store`, () => {
    test(
      'a row comes back under the names of its columns',
      withStore(async (store) => {
        await store.insert('logs', [call('a', { metadata: '{"team":"blue"}', first_token_ms: 2.5 })]);
        expect(await store.getLog('a')).toEqual({
          ...CALL,
          id: 'a',
          number: 1,
          metadata: '{"team":"blue"}',
          first_token_ms: 2.5,
        });
        expect(await store.getLog('b')).toBeUndefined();
      }),
    );

    test(
      'contents given as bytes come back as text, whatever they hold',
      withStore(async (store) => {
        const text = 'ünï → 🎉 "quoted" \\ and\nlines';
        await store.insert('logs', [
          call('a', {}, { request_codec: 'openai-chat', request: Buffer.from(text), response: 'plain text' }),
          call('b'),
        ]);
        expect(await store.logContents(1)).toEqual({
          request_codec: 'openai-chat',
          request: text,
          appended: null,
          response_codec: null,
          response: 'plain text',
          raw_request: null,
          raw_response: null,
        });
        expect(await store.logContents(2)).toBeUndefined();
      }),
    );

    test(
      'a row whose id is there already is left out, and the others of its batch are kept',
      withStore(async (store) => {
        expect(await store.insert('logs', [call('a', { model: 'first' })])).toBe(1);
        expect(await store.insert('logs', [call('a', { model: 'second' }, { request: 'x' }), call('b')])).toBe(1);
        expect((await store.getLog('a'))?.model).toBe('first');
        expect(await ids(store, {})).toEqual(['a', 'b']);
      }),
    );

    test(
      'a list is sorted, paged and counted as a whole',
      withStore(async (store) => {
        await store.insert('logs', [
          call('a', { timestamp_ms: 1, latency_ms: 30, cost_usd: null, total_tokens: 5 }),
          call('b', { timestamp_ms: 2, latency_ms: 10, cost_usd: 0.25, total_tokens: 9, status: 'error' }),
          call('c', { timestamp_ms: 3, latency_ms: 20, cost_usd: 0.5, total_tokens: null, status: 'cancelled' }),
        ]);
        expect(await ids(store, {}, { order: 'desc' })).toEqual(['c', 'b', 'a']);
        expect(await ids(store, {}, { sortBy: 'latency' })).toEqual(['b', 'c', 'a']);
        expect(await ids(store, {}, { sortBy: 'cost', order: 'desc' })).toEqual(['c', 'b', 'a']);
        expect(await ids(store, {}, { sortBy: 'tokens', order: 'desc' })).toEqual(['b', 'a', 'c']);
        expect(await ids(store, {}, { limit: 1, offset: 1 })).toEqual(['b']);
        const { totals } = await store.listLogs({}, { ...PAGING, limit: 1 });
        expect(totals).toEqual({
          total: 3,
          successes: 1,
          errors: 1,
          averageLatencyMs: 20,
          tokens: 14,
          costUsd: 0.75,
          unknownCosts: 1,
        });
      }),
    );

    test(
      'an empty log says so, and one whose filters match nothing says otherwise',
      withStore(async (store) => {
        const empty = await store.listLogs({}, PAGING);
        expect(empty).toEqual({
          rows: [],
          totals: {
            total: 0,
            successes: 0,
            errors: 0,
            averageLatencyMs: undefined,
            tokens: 0,
            costUsd: 0,
            unknownCosts: 0,
          },
          hasLogs: false,
        });
        await store.insert('logs', [call('a')]);
        expect(await store.listLogs({ providers: ['none'] }, PAGING)).toMatchObject({ rows: [], hasLogs: true });
      }),
    );

    const matching: readonly (readonly [string, Facts, LogFilters])[] = [
      ['providers', { provider: 'groq' }, { providers: ['groq', 'xai'] }],
      ['models', { model: 'm' }, { models: ['m'] }],
      ['requested models', { requested_model: 'alias' }, { requestedModels: ['alias'] }],
      ['status', { status: 'error' }, { statuses: ['error'] }],
      ['objects', { object: 'responses' }, { objects: ['responses'] }],
      ['key names', { key_name: 'other' }, { keyNames: ['other'] }],
      ['virtual keys', { virtual_key_id: 'vk' }, { virtualKeyIds: ['vk'] }],
      ['stop reasons', { stop_reason: 'length' }, { stopReasons: ['length'] }],
      ['user agents', { user_agent: 'codex/1' }, { userAgents: ['codex/1'] }],
      ['the parent', { parent_request_id: 'p' }, { parentRequestId: 'p' }],
      ['the request, for its parts', { parent_request_id: 'p' }, { requestId: 'p' }],
      ['the request, for itself', {}, { requestId: 'wanted' }],
      ['a start', { timestamp_ms: 5_000 }, { startMs: 5_000 }],
      ['an end', { timestamp_ms: 10 }, { endMs: 10 }],
      ['the least latency', { latency_ms: 99 }, { minLatencyMs: 99 }],
      ['the most latency', { latency_ms: 1 }, { maxLatencyMs: 1 }],
      ['the fewest tokens', { total_tokens: 99 }, { minTokens: 99 }],
      ['the most tokens', { total_tokens: 1 }, { maxTokens: 1 }],
      ['the least cost', { cost_usd: 2 }, { minCostUsd: 2 }],
      ['the most cost', { cost_usd: 0.1 }, { maxCostUsd: 0.1 }],
      ['an unknown cost', { cost_usd: null }, { missingCostOnly: true }],
      ['metadata', { metadata: '{"team":"100%_blue"}' }, { metadata: { team: '100%_blue' } }],
    ];
    for (const [what, facts, filters] of matching) {
      test(
        `filters by ${what}`,
        withStore(async (store) => {
          await store.insert('logs', [call('other', { metadata: '{"team":"100 0blue"}' }), call('wanted', facts)]);
          expect(await ids(store, filters)).toEqual(['wanted']);
        }),
      );
    }

    test(
      'filters by what was said, on either side and in any case, wildcards taken literally',
      withStore(async (store) => {
        await store.insert('logs', [
          call('a', {}, { request: 'The Weather in Oslo' }),
          call('b', {}, { response: 'weather: 100%' }),
          call('c', {}, { appended: 'snow' }),
          call('d'),
        ]);
        expect(await ids(store, { contentSearch: 'WEATHER' })).toEqual(['a', 'b']);
        expect(await ids(store, { contentSearch: '0%' })).toEqual(['b']);
        expect(await ids(store, { contentSearch: 'sno_' })).toEqual([]);
        expect(await ids(store, { contentSearch: 'snow' })).toEqual(['c']);
      }),
    );

    test(
      'roots are what has no parent; a filter for what no row has matches nothing',
      withStore(async (store) => {
        await store.insert('logs', [call('root'), call('turn', { parent_request_id: 'root' })]);
        expect(await ids(store, { rootsOnly: true })).toEqual(['root']);
        expect(await ids(store, { nothing: true })).toEqual([]);
      }),
    );

    test(
      'tool runs are kept, filtered and counted on their own',
      withStore(async (store) => {
        await store.insert('mcp_logs', [
          toolRun(
            'a',
            { llm_request_id: 'r', cost_usd: 0.5 },
            { arguments: '{"q":1}', result: Buffer.from('{"ok":true}') },
          ),
          toolRun('b', { tool_name: 'add', server_label: 'math', status: 'error', latency_ms: 15 }),
        ]);
        const list = async (filters: Parameters<LogStore['listMcpLogs']>[0]): Promise<string[]> =>
          (await store.listMcpLogs(filters, PAGING)).rows.map(({ id }) => id);
        expect(await list({ toolNames: ['add'] })).toEqual(['b']);
        expect(await list({ serverLabels: ['demo'] })).toEqual(['a']);
        expect(await list({ llmRequestIds: ['r'] })).toEqual(['a']);
        expect(await list({ statuses: ['error'], minLatencyMs: 10 })).toEqual(['b']);
        expect(await list({ contentSearch: 'OK' })).toEqual(['a']);
        expect(await store.mcpLogContents(1)).toEqual({ arguments: '{"q":1}', result: '{"ok":true}' });
        expect(await store.mcpLogTotals({})).toMatchObject({
          total: 2,
          successes: 1,
          averageLatencyMs: 10,
          costUsd: 0.5,
        });
        expect((await store.getMcpLog('b'))?.tool_name).toBe('add');
        expect((await store.listLogs({}, PAGING)).hasLogs).toBe(false);
      }),
    );

    test(
      'only the row of a tool run that goes on is replaced by another one of its id',
      withStore(async (store) => {
        const begun = { status: 'processing', latency_ms: 0 };
        await store.insert('mcp_logs', [toolRun('a', begun, { arguments: '{"q":1}' }), toolRun('b', begun)]);
        const ended = toolRun('a', { latency_ms: 7 }, { arguments: '{"q":1}', result: '{"ok":true}' });
        expect(await store.insert('mcp_logs', [ended])).toBe(1);
        expect(await store.insert('mcp_logs', [toolRun('a', { status: 'error' })])).toBe(0);
        expect(await store.getMcpLog('a')).toMatchObject({ status: 'success', latency_ms: 7 });
        expect(await store.mcpLogContents(1)).toEqual({ arguments: '{"q":1}', result: '{"ok":true}' });
        expect(await store.mcpLogTotals({})).toMatchObject({ total: 2, successes: 1, averageLatencyMs: 7 });
        expect(await store.endLeftRuns()).toBe(1);
        expect(await store.getMcpLog('b')).toMatchObject({ status: 'error' });
      }),
    );

    test(
      'deleting takes the contents along and says how many rows there were',
      withStore(async (store) => {
        await store.insert('logs', [call('a', {}, { request: 'x' }), call('b')]);
        expect(await store.deleteRows('logs', ['a', 'missing'])).toBe(1);
        expect(await store.deleteRows('logs', [])).toBe(0);
        expect(await store.logContents(1)).toBeUndefined();
        expect(await ids(store, {})).toEqual(['b']);
      }),
    );

    describeSweeping(withStore, ids);
  });
}

const DAY_MS = 86_400_000;
const NOW = 1_000 * DAY_MS;

function describeSweeping(
  withStore: (run: (store: LogStore) => Promise<void>) => () => Promise<void>,
  ids: (store: LogStore, filters: LogFilters) => Promise<string[]>,
): void {
  test(
    'J1 rows older than the retention go, in more than one batch, and younger ones stay',
    withStore(async (store) => {
      const old = Array.from({ length: 1_200 }, (_, index) => call(`old${index}`, { timestamp_ms: NOW - 8 * DAY_MS }));
      await store.insert('logs', [...old, call('young', { timestamp_ms: NOW - 6 * DAY_MS }, { request: 'x' })]);
      await store.insert('mcp_logs', [toolRun('old', { timestamp_ms: NOW - 8 * DAY_MS })]);
      expect(await store.sweep({ retentionDays: 7 }, NOW)).toEqual({ rows: 1_201, contents: 0 });
      expect(await ids(store, {})).toEqual(['young']);
      expect(await store.logContents(1_201)).toMatchObject({ request: 'x' });
    }),
  );

  test(
    'J1 a row with a wrong clock does not take the rows around it along',
    withStore(async (store) => {
      await store.insert('logs', [
        call('a', { timestamp_ms: NOW }),
        call('lost', { timestamp_ms: 0 }),
        call('b', { timestamp_ms: NOW }),
      ]);
      await store.sweep({ retentionDays: 7 }, NOW);
      expect(await ids(store, {})).toEqual(['a', 'b']);
    }),
  );

  test(
    'J2 contents may go before their rows',
    withStore(async (store) => {
      await store.insert('logs', [
        call('a', { timestamp_ms: NOW - 3 * DAY_MS }, { request: 'x' }),
        call('b', { timestamp_ms: NOW }, { request: 'y' }),
      ]);
      expect(await store.sweep({ retentionDays: 7, contentRetentionDays: 2 }, NOW)).toEqual({ rows: 0, contents: 1 });
      expect(await ids(store, {})).toEqual(['a', 'b']);
      expect(await store.logContents(1)).toBeUndefined();
      expect(await store.logContents(2)).toMatchObject({ request: 'y' });
    }),
  );

  test(
    'J1 no more rows than the cap: the oldest go',
    withStore(async (store) => {
      await store.insert(
        'logs',
        ['a', 'b', 'c'].map((id) => call(id)),
      );
      await store.sweep({ maxRows: 2 }, NOW);
      expect(await ids(store, {})).toEqual(['b', 'c']);
    }),
  );

  test(
    'J1 over the byte cap the oldest contents go first; a cap that rows alone fit leaves all rows',
    withStore(async (store) => {
      const megabyte = 'x'.repeat(1024 * 1024);
      for (let index = 0; index < 12; index++)
        await store.insert('logs', [call(`r${index}`, {}, { request: megabyte })]);
      const swept = await store.sweep({ maxBytes: 6 * 1024 * 1024 }, NOW);
      expect(swept.rows).toBe(0);
      expect(swept.contents).toBeGreaterThan(0);
      expect(await ids(store, {})).toHaveLength(12);
    }),
  );
}
