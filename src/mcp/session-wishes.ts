import type { JsonObject } from '../model/json.ts';
import { reasonOf } from './failures.ts';
import type { RpcMessage } from './peer.ts';
import type { Session } from './session.ts';
import type { Telling } from './telling.ts';

/**
 * What clients asked of a session and what holds until it ends: subscriptions and the log level. The session that
 * takes its place is asked for the same, as nobody else knows that it is another one.
 */
export class SessionWishes {
  readonly #uris = new Set<string>();
  #level: string | undefined;

  /** Something is to be heard that only a session which stays tells. */
  get isListening(): boolean {
    return this.#uris.size > 0;
  }

  /** This request was granted. */
  note({ method, params: { uri, level } }: RpcMessage): void {
    if (method === 'resources/subscribe' && typeof uri === 'string') this.#uris.add(uri);
    if (method === 'resources/unsubscribe' && typeof uri === 'string') this.#uris.delete(uri);
    if (method === 'logging/setLevel' && typeof level === 'string') this.#level = level;
  }

  /** What the new session does not grant is logged, and asked for again of the next one. */
  repeatOn(session: Session, timeoutMs: number, telling: Pick<Telling, 'log'>): void {
    const ask = (method: string, params: JsonObject) => {
      session.request({ method, params, timeoutMs }).catch((thrown: unknown) => {
        telling.log('warn', `${method} after a reconnect failed: ${reasonOf(thrown)}`);
      });
    };
    if (this.#level !== undefined) ask('logging/setLevel', { level: this.#level });
    for (const uri of this.#uris) ask('resources/subscribe', { uri });
  }
}
