import type { Attempt } from '../model/call.ts';
import { type GatewayError, statusOf } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';
import type { Usage } from '../model/usage.ts';
import { PROCESSING, type Row } from '../stores/schema.ts';

export type CallStatus = 'success' | 'error' | 'cancelled';

/** What was said in a call: bytes as they travelled where they are at hand, else JSON of the gateway's own model. */
export interface CallContents {
  /** A codec id, or `canonical`. */
  readonly requestCodec: string;
  readonly request: Uint8Array | string;
  /** JSON of messages and tools that the gateway put behind the client's body. */
  readonly appended?: string | undefined;
  readonly responseCodec?: string | undefined;
  readonly response?: Uint8Array | string | undefined;
  /** What went to the provider and what came from it, as it travelled; only where that is asked for. */
  readonly raw?: { readonly request: string; readonly response: string } | undefined;
  /** True when a side was cut at the byte cap. */
  readonly truncated: boolean;
}

/** One model call, as it ended. */
export interface ModelCallRecord {
  /** Unique for each call, not only for each request. */
  readonly id: string;
  readonly parentId?: string | undefined;
  readonly startedAtMs: number;
  readonly operation: string;
  /** The provider, model and key of the last attempt; without any attempt, what the client asked for. */
  readonly provider?: string | undefined;
  readonly model: string;
  readonly requestedModel: string;
  readonly keyName?: string | undefined;
  readonly virtualKeyId?: string | undefined;
  readonly virtualKeyName?: string | undefined;
  readonly status: CallStatus;
  readonly stream: boolean;
  readonly latencyMs: number;
  readonly firstTokenMs?: number | undefined;
  /** Absent when the provider did not say. */
  readonly usage?: Usage | undefined;
  /** Absent when the price or the usage is unknown: that is not the same as free. */
  readonly costUsd?: number | undefined;
  readonly stopReason?: string | undefined;
  /** Attempts at the target that answered (or failed last) before its last one. */
  readonly retries: number;
  readonly fallbackIndex: number;
  readonly attempts: readonly Attempt[];
  readonly losses: readonly Loss[];
  readonly error?: GatewayError | undefined;
  readonly userAgent?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The caller's `x-bf-dim-*`, for the metrics. */
  readonly dimensions?: Readonly<Record<string, string>> | undefined;
  readonly contents?: CallContents | undefined;
}

/** One tool run, as it began. */
export interface ToolRunStart {
  /** A fresh one for each run. Never the model's own call id, which repeats. */
  readonly id: string;
  readonly llmRequestId?: string | undefined;
  readonly startedAtMs: number;
  /** The MCP client's name, and the tool's as that server knows it. */
  readonly serverLabel: string;
  readonly toolName: string;
  readonly virtualKeyId?: string | undefined;
  readonly virtualKeyName?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** The caller's `x-bf-dim-*`, for the metrics. */
  readonly dimensions?: Readonly<Record<string, string>> | undefined;
  /** As its caller decides, who may; absent = as configured. */
  readonly keepsContents?: boolean | undefined;
  /** Written as JSON if contents are kept. */
  readonly arguments?: unknown;
}

/** One tool run, as it ended. A tool that answers `isError` ran: only what kept it from running is an error. */
export interface ToolRunRecord extends ToolRunStart {
  readonly status: CallStatus;
  readonly latencyMs: number;
  readonly costUsd?: number | undefined;
  readonly error?: GatewayError | undefined;
  readonly result?: unknown;
}

/** `content_state`: why contents are cut or absent. */
export const CONTENT_STATE = { whole: 0, truncated: 1, dropped: 2 } as const;

/** The record in the order of FACT_COLUMNS.logs and CONTENT_COLUMNS.logs. */
export function rowOfCall(record: ModelCallRecord): Row {
  const { usage, contents, attempts, losses } = record;
  const facts = [
    record.id,
    record.parentId ?? null,
    record.startedAtMs,
    record.operation,
    record.provider ?? null,
    record.model,
    record.requestedModel,
    record.status,
    record.stream ? 1 : 0,
    record.latencyMs,
    record.firstTokenMs ?? null,
    usage ? usage.input : null,
    usage ? usage.output : null,
    usage ? usage.cacheRead : null,
    usage ? usage.cacheWrite : null,
    usage ? usage.reasoning : null,
    usage ? usage.input + usage.output : null,
    record.costUsd ?? null,
    record.stopReason ?? null,
    record.keyName ?? null,
    record.virtualKeyId ?? null,
    record.virtualKeyName ?? null,
    record.retries,
    record.fallbackIndex,
    // one attempt that went well says nothing that the row does not
    attempts.length > 1 || attempts[0]?.error !== undefined ? JSON.stringify(attempts) : null,
    losses.length > 0 ? JSON.stringify(losses) : null,
    record.error ? errorText(record.error) : null,
    record.userAgent ?? null,
    record.metadata ? JSON.stringify(record.metadata) : null,
    contents?.truncated ? CONTENT_STATE.truncated : CONTENT_STATE.whole,
  ];
  if (!contents) return { facts };
  const { requestCodec, request, appended = null, responseCodec = null, response = null, raw } = contents;
  const said = [requestCodec, request, appended, responseCodec, response];
  return { facts, contents: raw ? [...said, raw.request, raw.response || null] : said };
}

/** The record in the order of FACT_COLUMNS.mcp_logs and CONTENT_COLUMNS.mcp_logs; a run without a status goes on. */
export function rowOfToolRun(
  record: ToolRunStart & Partial<ToolRunRecord>,
  contents: readonly CutText[] | undefined,
): Row {
  const facts = [
    record.id,
    record.llmRequestId ?? null,
    record.startedAtMs,
    record.toolName,
    record.serverLabel,
    record.virtualKeyId ?? null,
    record.virtualKeyName ?? null,
    record.latencyMs ?? 0,
    record.costUsd ?? null,
    record.status ?? PROCESSING,
    record.error ? errorText(record.error) : null,
    record.metadata ? JSON.stringify(record.metadata) : null,
    contents?.some(({ truncated }) => truncated) ? CONTENT_STATE.truncated : CONTENT_STATE.whole,
  ];
  return contents ? { facts, contents: contents.map(({ text }) => text ?? null) } : { facts };
}

export interface CutText {
  readonly text: string | undefined;
  readonly truncated: boolean;
}

/** In the shape of the original's error object: `is_bifrost_error` says that no provider said it. */
const errorText = (error: GatewayError): string =>
  JSON.stringify({
    is_bifrost_error: error.details.status === undefined,
    status_code: statusOf(error),
    kind: error.kind,
    error: {
      message: error.message,
      type: error.details.type,
      code: error.details.code,
      param: error.details.param,
    },
    upstream_request_id: error.details.upstreamRequestId,
  });
