import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { createSseReader } from '../../codecs/sse.ts';
import { isObject, parsedJson } from '../../model/json.ts';
import type { AnswerMessage, ExchangeOptions, ModernChannel, ModernRequest, NotificationMessage } from './channel.ts';
import { encodedHeader } from './header-values.ts';
import { MODERN_VERSION, mirroredName } from './protocol.ts';

export interface HttpChannelOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: FetchLike;
}

const MAX_REASON = 500;
const LISTEN = 'subscriptions/listen';

/** Streamable HTTP of 2026-07-28: one POST for each request, answered by one JSON text or one event stream. */
export function httpChannel({ url, headers, fetch }: HttpChannelOptions): ModernChannel {
  return {
    mirrorsInHeaders: true,
    async exchange(request, options) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...options.headers, ...headers, ...headersOf(request) },
        body: JSON.stringify({ jsonrpc: '2.0', ...request }),
        signal: options.signal,
      });
      if (response.ok && isStream(response)) return streamedAnswer(request, response, options, createSseReader());
      if (response.ok && request.method === LISTEN) return streamedAnswer(request, response, options, linesReader());
      return wholeAnswer(request, response);
    },
  };
}

function headersOf({ method, params }: ModernRequest): Record<string, string> {
  const name = mirroredName(method, params);
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': MODERN_VERSION,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': encodedHeader(name) }),
  };
}

const isStream = (response: Response): boolean =>
  response.headers.get('content-type')?.startsWith('text/event-stream') === true;

/** Errors of the protocol come with statuses of their own; what is no JSON-RPC is a failure of the way. */
async function wholeAnswer({ id }: ModernRequest, response: Response): Promise<AnswerMessage> {
  const text = await response.text();
  const answer = answerIn(text);
  if (answer) return { ...answer, id };
  const what = response.ok ? 'the server answered with no JSON-RPC message' : text.slice(0, MAX_REASON);
  throw new StreamableHTTPError(response.status, `HTTP ${response.status}: ${what || response.statusText}`);
}

function answerIn(text: string): AnswerMessage | undefined {
  const value = parsedJson(text);
  return isAnswer(value) ? value : undefined;
}

/** Whether the rest of the message keeps to JSON-RPC is looked at by whoever reads it. */
const isAnswer = (value: unknown): value is AnswerMessage =>
  isObject(value) && value.jsonrpc === '2.0' && (isObject(value.result) || isObject(value.error));

/** What is read of a stream: texts that should be messages. */
interface MessageReader {
  push(bytes: Uint8Array): readonly { readonly data: string }[];
  end(): readonly { readonly data: string }[];
}

/** Some servers say what happens as lines of JSON in an answer that does not end (the conformance suite's own). */
function linesReader(): MessageReader {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    push(bytes) {
      const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n');
      rest = lines.pop() ?? '';
      return lines.map((data) => ({ data }));
    },
    end: () => [{ data: rest }],
  };
}

async function streamedAnswer(
  { id }: ModernRequest,
  response: Response,
  { onNotification }: ExchangeOptions,
  events: MessageReader,
): Promise<AnswerMessage> {
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const piece = await reader?.read();
      const isEnd = !piece || piece.done;
      for (const { data } of isEnd ? events.end() : events.push(piece.value)) {
        const message: unknown = parsedJson(data);
        if (isAnswer(message) && (message.id ?? id) === id) return { ...message, id };
        if (isNotification(message)) onNotification(message);
      }
      if (isEnd) throw new McpError(ErrorCode.ConnectionClosed, 'the connection ended before the answer came');
    }
  } finally {
    // Nothing of interest comes behind the answer; a stream that is already broken has nothing to cancel.
    await reader?.cancel().catch(() => undefined);
  }
}

/** A server of this era sends no requests: what looks like one is left alone. */
const isNotification = (value: unknown): value is NotificationMessage =>
  isObject(value) && value.jsonrpc === '2.0' && typeof value.method === 'string' && value.id === undefined;
