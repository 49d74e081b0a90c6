import type { JsonObject } from '../../model/json.ts';
import { RpcError, type RpcMessage } from '../peer.ts';
import { type IncomingResponse, RPC_CODE, requestText } from './json-rpc.ts';

interface Open {
  answered(response: IncomingResponse): void;
  failed(reason: Error): void;
}

export type Send = (message: string) => boolean;

/** What the gateway asks of one client, each under an id of its own: two servers may use the same. */
export class OutgoingRequests {
  readonly #open = new Map<number, Open>();
  #lastId = 0;

  /** The client's result. Rejects with RpcError when it refuses, cannot be reached or is asked no longer. */
  ask({ method, params }: RpcMessage, send: Send, signal: AbortSignal): Promise<JsonObject> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<JsonObject>((resolve, reject) => {
      const stop = () => {
        send(cancellationText(id));
        this.#open.get(id)?.failed(new RpcError(RPC_CODE.internalError, `${method} was cancelled`));
      };
      const settled = () => {
        this.#open.delete(id);
        signal.removeEventListener('abort', stop);
      };
      this.#open.set(id, {
        answered(response) {
          settled();
          if (response.error) reject(response.error);
          else resolve(response.result);
        },
        failed(reason) {
          settled();
          reject(reason);
        },
      });
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      else if (!send(requestText(id, method, params))) this.#open.get(id)?.failed(unreachable(method));
    });
  }

  settle(response: IncomingResponse): void {
    if (typeof response.id === 'number') this.#open.get(response.id)?.answered(response);
  }

  close(): void {
    for (const open of [...this.#open.values()]) open.failed(new RpcError(RPC_CODE.refused, 'the client has gone'));
  }
}

const unreachable = (method: string): RpcError =>
  new RpcError(RPC_CODE.refused, `${method}: the client listens to no stream on which it could be asked`);

const cancellationText = (requestId: number): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId, reason: 'the server wants no answer any more' },
  });
