import type { Generated } from 'kysely';

/**
 * One model call. Times are milliseconds (since 1970 where they are a moment), money is US dollars, and NULL always
 * means unknown. What is only ever shown whole (`attempts`, `losses`, `error`, `metadata`) is JSON text.
 */
export interface LogsTable {
  /** Grows with each row: the order of arrival, and what the contents are kept under. */
  number: Generated<number>;
  id: string;
  parent_request_id: string | null;
  timestamp_ms: number;
  object: string;
  provider: string | null;
  /** As it was called upstream. */
  model: string;
  /** As the client asked for it. */
  requested_model: string;
  status: string;
  stream: number;
  latency_ms: number;
  first_token_ms: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  reasoning_tokens: number | null;
  total_tokens: number | null;
  cost_usd: number | null;
  stop_reason: string | null;
  key_name: string | null;
  virtual_key_id: string | null;
  virtual_key_name: string | null;
  retries: number;
  fallback_index: number;
  attempts: string | null;
  losses: string | null;
  error: string | null;
  user_agent: string | null;
  metadata: string | null;
  /** 1 when the content was cut at the byte cap; 2 when it was left out because the queue was full. */
  content_state: number;
}

/** What was said in a call; apart from `logs`, so that the numbers stay small to scan and may be kept for longer. */
export interface LogContentsTable {
  number: number;
  /** The format of `request`: a codec id, or `canonical` for JSON of the gateway's own model. */
  request_codec: string | null;
  request: string | null;
  /** JSON of messages and tools that the gateway put behind the client's body. */
  appended: string | null;
  response_codec: string | null;
  response: string | null;
  /** What went to the provider and what came from it, as it travelled; NULL where that is not asked for. */
  raw_request: string | null;
  raw_response: string | null;
}

/** One tool run. */
export interface McpLogsTable {
  number: Generated<number>;
  id: string;
  llm_request_id: string | null;
  timestamp_ms: number;
  tool_name: string;
  server_label: string;
  virtual_key_id: string | null;
  virtual_key_name: string | null;
  latency_ms: number;
  cost_usd: number | null;
  status: string;
  error: string | null;
  metadata: string | null;
  content_state: number;
}

export interface McpLogContentsTable {
  number: number;
  arguments: string | null;
  result: string | null;
}

export interface LogSchema {
  logs: LogsTable;
  log_contents: LogContentsTable;
  mcp_logs: McpLogsTable;
  mcp_log_contents: McpLogContentsTable;
}

/** The status of a tool run that goes on; any other one is how it ended. */
export const PROCESSING = 'processing';

export type LogTable = 'logs' | 'mcp_logs';

/** The columns of a row as it travels, in order: the facts, then the contents. */
export const FACT_COLUMNS = {
  logs: [
    'id',
    'parent_request_id',
    'timestamp_ms',
    'object',
    'provider',
    'model',
    'requested_model',
    'status',
    'stream',
    'latency_ms',
    'first_token_ms',
    'input_tokens',
    'output_tokens',
    'cache_read_tokens',
    'cache_write_tokens',
    'reasoning_tokens',
    'total_tokens',
    'cost_usd',
    'stop_reason',
    'key_name',
    'virtual_key_id',
    'virtual_key_name',
    'retries',
    'fallback_index',
    'attempts',
    'losses',
    'error',
    'user_agent',
    'metadata',
    'content_state',
  ] satisfies (keyof LogsTable)[],
  mcp_logs: [
    'id',
    'llm_request_id',
    'timestamp_ms',
    'tool_name',
    'server_label',
    'virtual_key_id',
    'virtual_key_name',
    'latency_ms',
    'cost_usd',
    'status',
    'error',
    'metadata',
    'content_state',
  ] satisfies (keyof McpLogsTable)[],
} as const;

export const CONTENT_COLUMNS = {
  logs: [
    'request_codec',
    'request',
    'appended',
    'response_codec',
    'response',
    'raw_request',
    'raw_response',
  ] satisfies (keyof LogContentsTable)[],
  mcp_logs: ['arguments', 'result'] satisfies (keyof McpLogContentsTable)[],
} as const;

export const CONTENT_TABLE = { logs: 'log_contents', mcp_logs: 'mcp_log_contents' } as const;

/** Values in the order of the columns; contents as UTF-8 bytes, never decoded on their way, or as text. */
export interface Row {
  readonly facts: readonly (string | number | null)[];
  /** Absent = nothing of what was said is kept; columns at the end that are left out are NULL. */
  readonly contents?: readonly (string | Uint8Array | null)[];
}
