import type { LogFilters, LogPaging, McpLogFilters } from '../stores/log-filters.ts';
import type { LogLimits } from '../stores/retention.ts';
import type { LogTable } from '../stores/schema.ts';
import type { ShownMcpCostHistogram, ShownMcpFacets, ShownMcpHistogram, ShownMcpTool } from './mcp-shown.ts';
import type { LogStats, LogsPage, McpLogStats, McpLogsPage, ShownLog, ShownMcpLog } from './shown.ts';

/** What the log can be asked; the worker answers each, in the order of asking. */
export interface LogQuestions {
  listLogs(filters: LogFilters, paging: LogPaging): LogsPage;
  getLog(id: string): ShownLog | undefined;
  logStats(filters: LogFilters): LogStats;
  listMcpLogs(filters: McpLogFilters, paging: LogPaging): McpLogsPage;
  getMcpLog(id: string): ShownMcpLog | undefined;
  mcpLogStats(filters: McpLogFilters): McpLogStats;
  mcpLogFacets(): ShownMcpFacets;
  mcpHistogram(filters: McpLogFilters): ShownMcpHistogram;
  mcpCosts(filters: McpLogFilters): ShownMcpCostHistogram;
  /** The tools that ran most come first. */
  mcpTools(filters: McpLogFilters, limit: number): readonly ShownMcpTool[];
  /** Ends the tool runs that an earlier gateway left as going on; gives how many there were. */
  endLeftRuns(): number;
  deleteRows(table: LogTable, ids: readonly string[]): number;
}

export type QuestionName = keyof LogQuestions;

export interface WorkerSettings {
  readonly path: string;
  readonly limits: LogLimits;
  /** How often the log is made to keep its limits. */
  readonly sweepEveryMs: number;
}

/** Rows of both tables in one block of bytes, which its sender leaves alone until the batch is done: shared, or handed over. */
export interface Batch {
  /** For each row three numbers: its table, where it starts in the slab, and how long it is. */
  readonly places: readonly number[];
  readonly slab: Uint8Array;
}

export type ToWorker =
  | { readonly type: 'batch'; readonly batch: Batch }
  | {
      readonly type: 'question';
      readonly number: number;
      readonly name: QuestionName;
      readonly args: readonly unknown[];
    }
  /** To end after everything sent before. */
  | { readonly type: 'close' }
  /** To end now: what cannot be written at once is lost. */
  | { readonly type: 'abandon' };

export type FromWorker =
  /** Batches are done in the order they came. `trouble` says why rows were lost. */
  | { readonly type: 'batch-done'; readonly written: number; readonly trouble?: string }
  | { readonly type: 'answer'; readonly number: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly number: number; readonly message: string }
  /** Rows are safe, yet something else went wrong: a sweep, say. */
  | { readonly type: 'warning'; readonly message: string };
