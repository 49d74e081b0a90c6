import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/logs/metrics.ts';
import { createRegistry } from '../../src/logs/registry.ts';
import { type ErrorKind, GatewayError } from '../../src/model/errors.ts';
import { callRecord } from './samples.ts';

const LABELS =
  'provider="openai",model="gpt-4o",method="chat_completion",virtual_key_id="",virtual_key_name="",selected_key_name="main",fallback_index="0"';

/** The value behind a series, undefined when there is no such series. */
function seriesValue(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('the text format', () => {
  test('says what a metric is before its values, and escapes what labels may not hold', () => {
    const registry = createRegistry();
    registry.counter('requests_total', 'How many.', ['path']).series('a "b"\\\n').add(2);
    expect(registry.text()).toBe(
      '# HELP requests_total How many.\n# TYPE requests_total counter\nrequests_total{path="a \\"b\\"\\\\\\n"} 2\n',
    );
  });

  test('counts a histogram up to each bound, bounds included', () => {
    const registry = createRegistry();
    const seconds = registry.histogram('seconds', 'How long.', [], [0.1, 1]).series();
    for (const value of [0.1, 0.5, 7]) seconds.observe(value);
    expect(registry.text().split('\n').slice(2)).toEqual([
      'seconds_bucket{le="0.1"} 1',
      'seconds_bucket{le="1"} 2',
      'seconds_bucket{le="+Inf"} 3',
      'seconds_sum 7.6',
      'seconds_count 3',
      '',
    ]);
  });

  test('tells label values apart that look alike when joined', () => {
    const registry = createRegistry();
    const family = registry.gauge('g', 'G.', ['a', 'b']);
    family.series('x', 'yz').add(1);
    family.series('xy', 'z').add(2);
    expect(seriesValue(registry.text(), 'g{a="x",b="yz"}')).toBe(1);
    expect(seriesValue(registry.text(), 'g{a="xy",b="z"}')).toBe(2);
  });
});

describe('the metrics', () => {
  test('of an answered call', () => {
    const metrics = createMetrics();
    metrics.modelCall(callRecord({ stream: true }));
    metrics.modelCall(callRecord({ costUsd: undefined, usage: undefined }));
    const text = metrics.text();
    expect(seriesValue(text, `bifrost_upstream_requests_total{${LABELS}}`)).toBe(2);
    expect(seriesValue(text, `bifrost_success_requests_total{${LABELS}}`)).toBe(2);
    expect(seriesValue(text, `bifrost_input_tokens_total{${LABELS}}`)).toBe(12);
    expect(seriesValue(text, `bifrost_output_tokens_total{${LABELS}}`)).toBe(5);
    expect(seriesValue(text, `bifrost_cache_read_input_tokens_total{${LABELS}}`)).toBe(4);
    expect(seriesValue(text, `bifrost_cost_total{${LABELS}}`)).toBe(0.25);
    expect(seriesValue(text, `bifrost_upstream_latency_seconds_count{${LABELS},is_success="true"}`)).toBe(2);
    expect(seriesValue(text, `bifrost_stream_first_token_latency_seconds_count{${LABELS}}`)).toBe(1);
    expect(seriesValue(text, `bifrost_stream_first_token_latency_seconds_bucket{${LABELS},le="0.01"}`)).toBe(1);
  });

  test('of labels that the configuration adds: what callers think up stays bounded, and models stay told apart', () => {
    const metrics = createMetrics(['team', 'run']);
    for (let at = 0; at < 1_000; at++) metrics.modelCall(callRecord({ dimensions: { team: `t${at}`, run: 'r' } }));
    metrics.modelCall(callRecord({ model: 'gpt-5', dimensions: { team: 'late' } }));
    metrics.modelCall(callRecord({ model: 'gpt-5', dimensions: { team: 't0', run: 'r' } }));
    const text = metrics.text();
    expect(seriesValue(text, `bifrost_upstream_requests_total{${LABELS},team="t7",run="r"}`)).toBe(1);
    expect(seriesValue(text, `bifrost_upstream_requests_total{${LABELS},team="_OTHER",run="_OTHER"}`)).toBe(800);
    const later = LABELS.replace('gpt-4o', 'gpt-5');
    expect(seriesValue(text, `bifrost_upstream_requests_total{${later},team="_OTHER",run="_OTHER"}`)).toBe(1);
    expect(seriesValue(text, `bifrost_upstream_requests_total{${later},team="t0",run="r"}`)).toBe(1);
  });

  const words: readonly (readonly [ErrorKind, number | undefined, string])[] = [
    ['invalid-request', 400, 'status_code="400",error_type="caller_invalid_request"'],
    ['authentication', 401, 'status_code="401",error_type="provider_auth_failed"'],
    ['authentication', undefined, 'status_code="401",error_type="policy_access_denied"'],
    ['rate-limit', 429, 'status_code="429",error_type="provider_rate_limited"'],
    ['rate-limit', undefined, 'status_code="429",error_type="policy_rate_limited"'],
    ['budget', undefined, 'status_code="402",error_type="policy_budget_exceeded"'],
    ['billing', 402, 'status_code="402",error_type="provider_billing"'],
    ['not-found', 404, 'status_code="404",error_type="caller_model_not_available"'],
    ['overloaded', 529, 'status_code="529",error_type="provider_overloaded"'],
    ['overloaded', 500, 'status_code="500",error_type="provider_server_error"'],
    ['timeout', undefined, 'status_code="504",error_type="provider_timeout"'],
    ['network', undefined, 'status_code="502",error_type="provider_connection_failed"'],
    ['internal', undefined, 'status_code="500",error_type="bifrost_internal"'],
  ];
  for (const [kind, status, labels] of words) {
    test(`of a ${kind} error ${status ? `from upstream (${status})` : 'of our own'}`, () => {
      const metrics = createMetrics();
      const error = new GatewayError(kind, 'no', status === undefined ? {} : { status });
      metrics.modelCall(callRecord({ status: 'error', error }));
      expect(seriesValue(metrics.text(), `bifrost_error_requests_total{${LABELS},${labels}}`)).toBe(1);
      expect(seriesValue(metrics.text(), `bifrost_success_requests_total{${LABELS}}`)).toBe(0);
    });
  }

  test('of a call that its caller left', () => {
    const metrics = createMetrics();
    metrics.modelCall(callRecord({ status: 'cancelled' }));
    const labels = `${LABELS},status_code="499",error_type="caller_cancelled"`;
    expect(seriesValue(metrics.text(), `bifrost_error_requests_total{${labels}}`)).toBe(1);
  });

  test('of HTTP requests and those under way', () => {
    const metrics = createMetrics();
    metrics.activeRequests('POST', 1);
    metrics.activeRequests('POST', 1);
    metrics.activeRequests('POST', -1);
    metrics.httpRequest('/v1/chat/completions', 'POST', 200, 0.2);
    const labels = 'path="/v1/chat/completions",method="POST",status="200"';
    expect(seriesValue(metrics.text(), 'bifrost_active_requests{method="POST"}')).toBe(1);
    expect(seriesValue(metrics.text(), `http_requests_total{${labels}}`)).toBe(1);
    expect(seriesValue(metrics.text(), `http_request_duration_seconds_bucket{${labels},le="0.25"}`)).toBe(1);
  });

  test('of tool runs', () => {
    const metrics = createMetrics();
    const run = { id: 'run-1', startedAtMs: 0, serverLabel: 'demo', toolName: 'echo', latencyMs: 20 };
    metrics.toolRun({ ...run, status: 'success' });
    metrics.toolRun({ ...run, status: 'error', error: new GatewayError('authentication', 'log in first') });
    const owners = ['virtual_key', 'team', 'customer', 'business_unit'].map(
      (owner) => `,${owner}_id="",${owner}_name=""`,
    );
    const series = (errorType: string): string =>
      `bifrost_mcp_client_operation_duration_seconds_count{mcp_client="demo",mcp_tool_name="echo",mcp_method="tools/call",error_type="${errorType}"${owners.join('')}}`;
    expect(seriesValue(metrics.text(), series(''))).toBe(1);
    expect(seriesValue(metrics.text(), series('auth_required'))).toBe(1);
  });

  test('J11 a client that names ever new models cannot make ever new series', () => {
    const metrics = createMetrics();
    for (let index = 0; index < 3_000; index++) metrics.modelCall(callRecord({ model: `model-${index}` }));
    const series = metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith('bifrost_upstream_requests_total{'));
    expect(series).toHaveLength(1_001);
    expect(series.at(-1)).toMatch(/model="_OTHER".* 2000$/);
  });

  test('of the log and the process are read when somebody asks', () => {
    const metrics = createMetrics();
    let rowsDropped = 1;
    const none = {
      rowsWritten: 0,
      contentsDropped: 0,
      rowsFailed: 0,
      rowsRepeated: 0,
      rowsWaiting: 0,
      bytesWaiting: 0,
    };
    metrics.showLog(() => ({ ...none, rowsDropped }));
    expect(seriesValue(metrics.text(), 'bifrost_log_rows_dropped_total')).toBe(1);
    rowsDropped = 5;
    expect(seriesValue(metrics.text(), 'bifrost_log_rows_dropped_total')).toBe(5);
    expect(seriesValue(metrics.text(), 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  });
});
