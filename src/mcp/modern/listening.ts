import type { JsonObject } from '../../model/json.ts';
import { later, settlesWithin } from '../timing.ts';
import type { AnswerMessage, NotificationMessage } from './channel.ts';
import { MODERN_CODE } from './protocol.ts';

export interface ListeningOptions {
  /** Holds one `subscriptions/listen` open; resolves when the server ends it, rejects when it breaks. */
  readonly listen: (
    filter: JsonObject,
    onNotification: (message: NotificationMessage) => void,
    signal: AbortSignal,
  ) => Promise<AnswerMessage>;
  readonly onNotification: (message: NotificationMessage) => void;
  readonly trouble: (error: Error) => void;
  /** How long a wish to hear of a resource waits for the server's word on it; some servers say none that is understood. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 3_000;

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const METHOD_NOT_FOUND = -32601;

/** Lists whose changes a server tells of: the member of its capabilities, of the filter, and the notification. */
const LISTS = [
  ['tools', 'toolsListChanged', 'notifications/tools/list_changed'],
  ['prompts', 'promptsListChanged', 'notifications/prompts/list_changed'],
  ['resources', 'resourcesListChanged', 'notifications/resources/list_changed'],
] as const;

/**
 * Hears of changes at one server, on one stream that is opened anew whenever it ends. What may have changed while there
 * was none is said to have changed.
 */
export class Listening {
  readonly #options: ListeningOptions;
  readonly #lists: readonly (typeof LISTS)[number][];
  readonly #uris = new Set<string>();
  #stream: AbortController | undefined;
  #isOpen = false;
  #isClosed = false;

  constructor(capabilities: JsonObject, options: ListeningOptions) {
    this.#options = options;
    this.#lists = LISTS.filter(([member]) => (capabilities[member] as JsonObject | undefined)?.listChanged === true);
  }

  /** Starts to listen, if the server has anything to tell. */
  open(): void {
    this.#isOpen = true;
    void this.#restart();
  }

  /** Resolves when the server has taken the wish, or refused it, or says nothing for long. */
  subscribe(uri: string): Promise<void> {
    this.#uris.add(uri);
    return this.#patiently(this.#restart());
  }

  unsubscribe(uri: string): Promise<void> {
    return this.#uris.delete(uri) ? this.#patiently(this.#restart()) : Promise.resolve();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.abort();
  }

  async #patiently(wish: Promise<void>): Promise<void> {
    await settlesWithin(wish, this.#options.patienceMs ?? PATIENCE_MS);
  }

  get #filter(): JsonObject {
    const lists = this.#isOpen ? this.#lists : [];
    return {
      ...Object.fromEntries(lists.map(([, member]) => [member, true])),
      ...(this.#uris.size > 0 && { resourceSubscriptions: [...this.#uris] }),
    };
  }

  /** A new stream with the filter as it is now; the old one ends once the new one stands, so that nothing is missed. */
  #restart(): Promise<void> {
    const old = this.#stream;
    this.#stream = undefined;
    if (this.#isClosed || Object.keys(this.#filter).length === 0) {
      old?.abort();
      return Promise.resolve();
    }
    const stream = new AbortController();
    this.#stream = stream;
    return new Promise((resolve) => {
      const settled = () => {
        old?.abort();
        resolve();
      };
      void this.#keepOpen(stream.signal, settled).finally(settled);
    });
  }

  async #keepOpen(signal: AbortSignal, settled: () => void): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let opened = 0; !signal.aborted; ) {
      const onNotification = (message: NotificationMessage) => {
        if (message.method !== ACKNOWLEDGED) return this.#options.onNotification(message);
        pauseMs = FIRST_PAUSE_MS;
        opened += 1;
        settled();
        if (opened > 1)
          for (const [, , method] of this.#lists) this.#options.onNotification({ jsonrpc: '2.0', method });
      };
      const isOver = await this.#listen(onNotification, signal);
      settled();
      if (isOver || signal.aborted) return;
      await new Promise<void>((resolve) => void later(pauseMs, resolve));
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }

  /** True when there is no use in trying again. */
  async #listen(onNotification: (message: NotificationMessage) => void, signal: AbortSignal): Promise<boolean> {
    try {
      const answer = await this.#options.listen(this.#filter, onNotification, signal);
      return 'error' in answer && REFUSALS.has(answer.error.code);
    } catch (thrown) {
      if (!signal.aborted) this.#options.trouble(thrown instanceof Error ? thrown : new Error(String(thrown)));
      return false;
    }
  }
}

/** Answers that the next try would get too. */
const REFUSALS: ReadonlySet<number> = new Set([METHOD_NOT_FOUND, -32602, ...Object.values(MODERN_CODE)]);
