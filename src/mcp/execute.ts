import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { CatalogTool, ToolCallRequest, ToolResult } from './contract.ts';
import { credentialErrorIn, reasonOf } from './failures.ts';
import type { ListedTool } from './listed-tools.ts';
import { RequestTimeout } from './open-requests.ts';
import type { Session } from './session.ts';

/** One call, past every filter. */
export interface Execution {
  readonly tool: Pick<CatalogTool, 'name' | 'upstreamName'>;
  readonly request: ToolCallRequest;
  readonly headers: Readonly<Record<string, string>>;
  /** Without a sign of life; progress starts it anew. */
  readonly timeoutMs: number;
  /** Altogether, however much progress is reported. */
  readonly maxMs: number;
  /** A session that serves this caller alone, where it has one. */
  readonly own?: Promise<Session> | undefined;
  /** The tool as that session lists it, where its list is another than the shared one. */
  readonly listed?: ListedTool | undefined;
}

/**
 * The server's own result, untouched; what the tool calls an error is a result. Throws what the session throws, or
 * GatewayError('timeout' | 'cancelled'); in both cases the server was told with `notifications/cancelled`.
 */
export async function execute(session: Session, execution: Execution): Promise<ToolResult> {
  const { tool, request, headers, timeoutMs, maxMs } = execution;
  try {
    const result = await session.request({
      method: 'tools/call',
      params: paramsOf(tool.upstreamName, request),
      headers,
      origin: request,
      timeoutMs,
      maxMs,
      signal: request.signal,
      // Always given: progress keeps a call alive, whoever else hears of it.
      onProgress: request.onProgress ?? unheard,
    });
    return toolResult(result);
  } catch (thrown) {
    if (request.signal.aborted)
      throw new GatewayError('cancelled', `the call of ${tool.name} was cancelled`, { cause: thrown });
    throw thrown instanceof RequestTimeout ? timedOut(tool.name, thrown.afterMs) : thrown;
  }
}

const unheard = (): void => undefined;

/** What callers get to see of a failed call. */
export function callFailure(tool: string, thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError && OWN_WORDS.has(thrown.kind)) return thrown;
  const message = `MCP tool call failed for ${tool}: ${reasonOf(thrown)}`;
  if (credentialErrorIn(thrown)) return new GatewayError('authentication', message, { cause: thrown });
  if (!(thrown instanceof McpError)) return new GatewayError('network', message, { cause: thrown });
  if (thrown.code === ErrorCode.ConnectionClosed) return new GatewayError('network', message, { cause: thrown });
  const kind = thrown.code === ErrorCode.InvalidParams ? 'invalid-request' : 'bad-response';
  return new GatewayError(kind, message, { code: String(thrown.code), cause: thrown });
}

/** What the gateway itself says of a call. */
const OWN_WORDS: ReadonlySet<string> = new Set(['timeout', 'cancelled', 'permission', 'not-found', 'authentication']);

export const timedOut = (tool: string, ms: number): GatewayError =>
  new GatewayError('timeout', `MCP tool call timed out after ${durationText(ms)}: ${tool}`);

/** As Go writes durations, in which the original's texts are: `30s`, `1m30s`, `500ms`. */
function durationText(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  return `${hours ? `${hours}h` : ''}${hours || minutes ? `${minutes}m` : ''}${(ms % 60_000) / 1_000}s`;
}

function paramsOf(name: string, { arguments: args, meta }: ToolCallRequest): JsonObject {
  if (!meta) return { name, arguments: args };
  const { progressToken: _, ...rest } = meta;
  return { name, arguments: args, _meta: rest };
}

/** The content is an array in every revision but the first (2024-10-07), which gave `toolResult`. */
function toolResult(value: unknown): ToolResult {
  if (!isObject(value)) throw new Error('the server gave a result that is no object');
  const { content, toolResult: oldest } = value;
  if (Array.isArray(content)) {
    // as it came, where it is what it must be
    return content.every(isObject) ? (value as ToolResult) : { ...value, content: content.flatMap(blockOf) };
  }
  if (content !== undefined) return { ...value, content: blockOf(content) };
  if (oldest !== undefined) return { ...value, content: [textBlock(JSON.stringify(oldest))] };
  return { ...value, content: [] };
}

/** Servers written by hand give text without a block around it, or one block without a list. */
function blockOf(given: JsonValue): JsonObject[] {
  if (isObject(given)) return [given];
  if (given === null) return [];
  return [textBlock(typeof given === 'string' ? given : JSON.stringify(given))];
}

const textBlock = (text: string): JsonObject => ({ type: 'text', text });
