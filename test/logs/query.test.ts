import { describe, expect, test } from 'vitest';
import { logQueryOf, mcpLogQueryOf } from '../../src/logs/query.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const HOUR_MS = 3_600_000;
const defined = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
const filtersOf = (text: string): object => defined(logQueryOf(new URLSearchParams(text), NOW).filters);
const mcpFiltersOf = (text: string): object => defined(mcpLogQueryOf(new URLSearchParams(text), NOW).filters);

describe('the query of the request log', () => {
  test('asks for the newest 50 of everything when it is empty', () => {
    expect(logQueryOf(new URLSearchParams()).paging).toEqual({
      limit: 50,
      offset: 0,
      sortBy: 'timestamp',
      order: 'desc',
    });
    expect(filtersOf('')).toEqual({ nothing: false });
  });

  const understood: readonly (readonly [string, object])[] = [
    ['providers=openai,%20groq,,', { providers: ['openai', 'groq'] }],
    ['models=gpt-4o&aliases=fast', { models: ['gpt-4o'], requestedModels: ['fast'] }],
    ['status=error,cancelled&objects=responses', { statuses: ['error', 'cancelled'], objects: ['responses'] }],
    ['selected_key_ids=main&virtual_key_ids=vk-1', { keyNames: ['main'], virtualKeyIds: ['vk-1'] }],
    ['stop_reasons=length&user_agents=codex/1', { stopReasons: ['length'], userAgents: ['codex/1'] }],
    ['parent_request_id=p', { parentRequestId: 'p' }],
    ['session_id=s', { parentRequestId: 's' }],
    ['request_id=r&roots_only=true', { requestId: 'r', rootsOnly: true }],
    ['min_latency=1.5&max_latency=9', { minLatencyMs: 1.5, maxLatencyMs: 9 }],
    ['min_tokens=1&max_tokens=2', { minTokens: 1, maxTokens: 2 }],
    ['min_cost=0.1&max_cost=1e-3&missing_cost_only=1', { minCostUsd: 0.1, maxCostUsd: 0.001, missingCostOnly: true }],
    ['content_search=a%20b', { contentSearch: 'a b' }],
    ['metadata_team=blue&metadata_env=prod', { metadata: { team: 'blue', env: 'prod' } }],
    ['start_time=2026-03-01T11:00:00Z', { startMs: NOW - HOUR_MS }],
    ['end_time=2026-03-01T13:00:00.000%2B02:00', { endMs: NOW - HOUR_MS }],
    ['end_time=2026-03-01T13:00:00+02:00', { endMs: NOW - HOUR_MS }],
    ['period=1h&start_time=2020-01-01T00:00:00Z', { startMs: NOW - HOUR_MS, endMs: NOW }],
    ['team_ids=t', { nothing: true }],
    ['providers=&unknown=1', {}],
  ];
  for (const [text, filters] of understood) {
    test(`understands ${text}`, () => expect(filtersOf(text)).toEqual({ nothing: false, ...filters }));
  }

  test('takes paging and sorting', () => {
    expect(logQueryOf(new URLSearchParams('limit=1000&offset=5&sort_by=cost&order=asc')).paging).toEqual({
      limit: 1_000,
      offset: 5,
      sortBy: 'cost',
      order: 'asc',
    });
  });

  const refused: readonly (readonly [string, string])[] = [
    ['limit=0', 'limit must be greater than 0'],
    ['limit=1001', 'limit cannot exceed 1000'],
    ['limit=many', 'invalid limit: "many" is not a number'],
    ['limit=1.5', 'invalid limit: it must be a whole number'],
    ['offset=-1', 'offset cannot be negative'],
    ['min_latency=fast', 'invalid min_latency: "fast" is not a number'],
    ['max_tokens=1.5', 'invalid max_tokens: it must be a whole number'],
    ['start_time=yesterday', 'invalid start_time: "yesterday" is not an RFC 3339 time'],
    ['end_time=2026-13-45T00:00:00Z', 'invalid end_time: "2026-13-45T00:00:00Z" is not an RFC 3339 time'],
    ['period=long', 'invalid period: "long" is no duration such as 1h, 24h or 7d'],
    ['sort_by=colour', 'invalid sort_by: it must be one of timestamp, latency, tokens, cost'],
    ['order=up', 'invalid order: it must be one of asc, desc'],
    ['roots_only=maybe', 'invalid roots_only: "maybe" is neither true nor false'],
  ];
  for (const [text, message] of refused) {
    test(`refuses ${text}`, () => {
      const [param] = text.split('=');
      expect(() => logQueryOf(new URLSearchParams(text))).toThrow(
        expect.objectContaining({ kind: 'invalid-request', message, details: { param } }),
      );
    });
  }
});

describe('the query of the tool log', () => {
  test('understands its own filters', () => {
    expect(
      mcpFiltersOf('tool_names=a,b&server_labels=s&status=error&llm_request_ids=r&virtual_key_ids=v&content_search=x'),
    ).toEqual({
      toolNames: ['a', 'b'],
      serverLabels: ['s'],
      statuses: ['error'],
      llmRequestIds: ['r'],
      virtualKeyIds: ['v'],
      contentSearch: 'x',
    });
  });

  test('has nothing to sort by tokens', () => {
    expect(() => mcpLogQueryOf(new URLSearchParams('sort_by=tokens'))).toThrow('one of timestamp, latency, cost');
  });
});
