import { ErrorCode, type JSONRPCMessage, McpError } from '@modelcontextprotocol/sdk/types.js';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { onAbort } from '../../model/on-abort.ts';
import type { AnswerMessage, ExchangeOptions, ModernChannel, ModernRequest, NotificationMessage } from './channel.ts';
import { META } from './protocol.ts';

interface Waiting {
  readonly options: ExchangeOptions;
  readonly progressToken: unknown;
  readonly settle: (answer: AnswerMessage) => void;
  readonly fail: (reason: unknown) => void;
}

/**
 * Requests of 2026-07-28 over one pipe, which all of them share: answers are told apart by id, notifications by the
 * subscription or the progress token that they name, and a request ends by `notifications/cancelled`.
 */
export class StdioChannel implements ModernChannel {
  readonly mirrorsInHeaders = false;
  readonly #send: (message: JSONRPCMessage) => Promise<void>;
  readonly #waiting = new Map<string | number, Waiting>();

  constructor(send: (message: JSONRPCMessage) => Promise<void>) {
    this.#send = send;
  }

  async exchange(request: ModernRequest, options: ExchangeOptions): Promise<AnswerMessage> {
    const { id } = request;
    const { signal } = options;
    signal.throwIfAborted();
    const meta = request.params._meta;
    const progressToken = isObject(meta) ? meta.progressToken : undefined;
    const answer = new Promise<AnswerMessage>((settle, fail) => {
      this.#waiting.set(id, { options, progressToken, settle, fail });
    });
    const forget = onAbort(signal, () => {
      this.#waiting.get(id)?.fail(signal.reason);
      const params = { requestId: id, reason: 'the request was cancelled' };
      // a pipe that has broken needs no word
      void this.#send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }).catch(() => undefined);
    });
    try {
      await this.#send({ jsonrpc: '2.0', ...request } as JSONRPCMessage);
      return await answer;
    } finally {
      forget();
      this.#waiting.delete(id);
    }
  }

  /** Takes what the server wrote; false when it belongs to no exchange. */
  receive(message: JSONRPCMessage): boolean {
    // the pipe gives what JSON.parse gave
    const given = message as JsonObject;
    if (!('method' in message)) {
      const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id);
      if (isObject(given.result) || isObject(given.error)) waiting?.settle(given as unknown as AnswerMessage);
      return waiting !== undefined;
    }
    const waiting = this.#waitingFor(given.params);
    waiting?.options.onNotification(given as unknown as NotificationMessage);
    return waiting !== undefined;
  }

  close(reason: string): void {
    for (const { fail } of this.#waiting.values()) fail(new McpError(ErrorCode.ConnectionClosed, reason));
  }

  #waitingFor(params: JsonValue | undefined): Waiting | undefined {
    const meta = isObject(params) ? params._meta : undefined;
    const subscription = isObject(meta) ? meta[META.subscriptionId] : undefined;
    if (typeof subscription === 'string' || typeof subscription === 'number') return this.#waiting.get(subscription);
    const token = isObject(params) ? params.progressToken : undefined;
    if (token === undefined) return undefined;
    for (const waiting of this.#waiting.values()) if (waiting.progressToken === token) return waiting;
    return undefined;
  }
}
