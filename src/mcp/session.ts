import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  ErrorCode,
  McpError,
  type Progress,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { JsonSchemaValidator, jsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/types.js';
import { z } from 'zod';
import { isObject, type JsonObject } from '../model/json.ts';
import type { ToolProgress } from './contract.ts';
import type { GatewayTransport } from './gateway-transport.ts';
import { settlesWithin } from './timing.ts';

export interface SessionEvents {
  /** The connection is gone, by our doing or not. Called once, after `openSession` gave the session. */
  onClosed(): void;
  onToolsChanged(): void;
  /** Trouble outside any request, such as the event stream of an HTTP server. */
  onTrouble(error: Error): void;
}

export interface SessionRequest {
  readonly method: string;
  readonly params?: JsonObject;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ToolProgress) => void;
  /** Sent with this request only; HTTP transports know what to do with them. */
  readonly headers?: Readonly<Record<string, string>>;
}

const MAX_PAGES = 1_000;
const STDERR_IN_REASON = 3;
const NO_HEADERS: Readonly<Record<string, string>> = {};

/** Results pass as they are: whoever asked checks what it needs, and unknown fields survive. */
const anyResult = z.unknown();

/** The SDK would compile a validator for each output schema (and keep it); results are the caller's to judge. */
const noValidation: jsonSchemaValidator = {
  getValidator<T>(): JsonSchemaValidator<T> {
    return (input) => ({ valid: true, data: input as T, errorMessage: undefined });
  },
};

/** One initialised connection to one MCP server. It does not come back: after `onClosed` a new one is dialled. */
export class Session {
  readonly openedAtMs = performance.now();
  readonly #client: Client;
  readonly #transport: GatewayTransport;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(name: string, transport: GatewayTransport, events: SessionEvents) {
    this.#transport = transport;
    this.#client = new Client({ name: `Bifrost-${name}`, version: '1.0.0' }, { jsonSchemaValidator: noValidation });
    this.#client.setNotificationHandler(ToolListChangedNotificationSchema, () => events.onToolsChanged());
    this.#client.onerror = (error) => events.onTrouble(error);
    this.#client.onclose = () => {
      this.#closed = true;
      events.onClosed();
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  get pid(): number | undefined {
    return this.#transport.pid;
  }

  get stderr(): readonly string[] {
    return this.#transport.stderr;
  }

  get hasSession(): boolean {
    return this.#transport.hasSession;
  }

  get serverInfo(): JsonObject | undefined {
    const info = this.#client.getServerVersion();
    return info && { ...info };
  }

  /** Starts the transport and initialises. Closes everything again when it fails, is late, or `signal` says so. */
  async open(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const stop = () => void this.#transport.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      // The SDK's own timeout covers `initialize` but not the start of the transport.
      const connected = this.#client.connect(this.#transport, { timeout: timeoutMs });
      if (!(await settlesWithin(connected, timeoutMs))) {
        throw new Error(`the server did not answer initialize within ${timeoutMs / 1_000} s`);
      }
    } catch (thrown) {
      const reason = this.explained(thrown);
      await this.close();
      throw reason;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** The result as the server gave it. Throws McpError and what the transports throw, explained. */
  async request({ method, params = {}, timeoutMs, signal, onProgress, headers }: SessionRequest): Promise<unknown> {
    const options: RequestOptions = { timeout: timeoutMs };
    if (signal) options.signal = signal;
    if (onProgress) {
      options.onprogress = (progress) => onProgress(progressOf(progress));
      options.resetTimeoutOnProgress = true;
    }
    const send = () => this.#client.request({ method, params }, anyResult, options);
    this.#inFlight += 1;
    try {
      return await this.#transport.carrying(headers ?? NO_HEADERS, send);
    } catch (thrown) {
      throw this.explained(thrown);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.();
    }
  }

  /** A server that does not know `ping` says so, and is alive. */
  async ping(timeoutMs: number): Promise<void> {
    try {
      await this.request({ method: 'ping', timeoutMs });
    } catch (thrown) {
      if (!(thrown instanceof McpError && thrown.code === ErrorCode.MethodNotFound)) throw thrown;
    }
  }

  /** Every page of `tools/list`, unread. A server without tools has none, and is not asked. */
  async listTools(timeoutMs: number): Promise<unknown[]> {
    if (!this.#client.getServerCapabilities()?.tools) return [];
    const tools: unknown[] = [];
    const cursors = new Set<string>();
    for (let cursor: string | undefined; ; ) {
      const params = cursor === undefined ? {} : { cursor };
      const page = await this.request({ method: 'tools/list', params, timeoutMs });
      if (!isObject(page) || !Array.isArray(page.tools)) throw new Error('tools/list gave no list of tools');
      tools.push(...page.tools);
      if (typeof page.nextCursor !== 'string' || page.nextCursor === '') return tools;
      cursor = page.nextCursor;
      if (cursors.has(cursor) || cursors.size >= MAX_PAGES)
        throw new Error(`tools/list does not end: cursor '${cursor}'`);
      cursors.add(cursor);
    }
  }

  /** Resolves when no request is in flight, at the latest after `withinMs`. */
  async drained(withinMs: number): Promise<void> {
    if (this.#inFlight === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    await settlesWithin(idle, withinMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#transport.close();
  }

  /** An error about the closed connection says only that; the transport knows why, and stderr often the real reason. */
  explained(thrown: unknown): unknown {
    const { endReason } = this.#transport;
    const isClosed = thrown instanceof McpError && thrown.code === ErrorCode.ConnectionClosed;
    if (!endReason || !(isClosed || (thrown instanceof Error && thrown.message === 'Not connected'))) return thrown;
    // npx speaks of its own updates last, after the reason.
    const lines = this.stderr.filter((line) => !line.startsWith('npm notice'));
    const last = lines.slice(-STDERR_IN_REASON).join(' | ');
    return new Error(last ? `${endReason}; its last words: ${last}` : endReason);
  }
}

const progressOf = ({ progress, total, message }: Progress): ToolProgress => ({
  progress,
  ...(total !== undefined && { total }),
  ...(message !== undefined && { message }),
});
