import type { AnswerContext, Codec, WireEvent } from '../codecs/codec.ts';
import { createSseReader } from '../codecs/sse.ts';
import { GatewayError } from '../model/errors.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { StreamBody } from './direct-response.ts';
import type { ForeignAccount } from './foreign-account.ts';
import { watchIdle } from './idle.ts';
import type { Witness } from './witness.ts';

export interface Decoded {
  readonly codec: Codec;
  readonly context: AnswerContext;
  readonly body: StreamBody;
  readonly provider: string;
  readonly idleMs: number;
  /** Reads along. */
  readonly witness?: Witness;
  /** Told what the client's format has no words for. */
  readonly account?: ForeignAccount | undefined;
}

/**
 * An upstream's stream as events, a frame for each read. `response-start` waits for the first content, so that a
 * failure before it can still be answered by another provider. Throws GatewayError; what came before is yielded first.
 */
export async function* decodedFrames(given: Decoded): AsyncGenerator<Frame> {
  const { codec, context, body, provider, idleMs } = given;
  const reader = createSseReader();
  const answer = new DecodedAnswer(codec.decodeStream(context), given);
  const watch = watchIdle(body, { idleMs, provider, isComplete: () => answer.isComplete });
  let broken: unknown;
  try {
    while (!answer.failure) {
      const bytes = await body.read().catch((thrown: unknown) => {
        broken = thrown;
      });
      if (!bytes) break;
      const wireEvents = reader.push(bytes);
      // Keep-alive comments are no events, and no sign that the model is at work
      if (wireEvents.length > 0) watch.heard();
      const opening = answer.hasWords ? 0 : answer.pushOpening(wireEvents);
      // whoever waits for the first words gets them before the rest of a burst is read
      const first = opening < wireEvents.length ? answer.take() : undefined;
      if (first) yield { events: first };
      answer.push(opening === 0 ? wireEvents : wireEvents.slice(opening));
      const events = answer.take();
      if (events) yield { events };
    }
  } finally {
    watch.stop();
  }
  answer.end(reader.end());
  const events = answer.take();
  if (events) yield { events };
  // A connection that breaks or falls silent behind a complete answer does no harm
  if (answer.failure) throw broken ?? answer.failure;
}

/**
 * Whoever translates an answer may have to hold all of it, its text and an object or two for each event: more than any
 * model says, and not more than can be held many times.
 */
const MOST_WEIGHT = 64 * 1024 * 1024;
const DELTA_WEIGHT = 32;
const EVENT_WEIGHT = 512;

function weightOf(event: StreamEvent): number {
  if (event.type === 'part-delta') return DELTA_WEIGHT + event.delta.length;
  if (event.type !== 'part-start' || event.part.type !== 'media') return EVENT_WEIGHT;
  return event.part.source.type === 'base64' ? EVENT_WEIGHT + event.part.source.data.length : EVENT_WEIGHT;
}

const endless = (): GatewayError =>
  new GatewayError(
    'bad-response',
    'the answer has grown beyond 64 million characters and is not read any further; look at what answers there',
  );

/** Events that wait to be passed on, and the fault that ended them. */
class DecodedAnswer {
  failure: Error | undefined;
  isComplete = false;
  hasWords = false;
  readonly #decoder: ReturnType<Codec['decodeStream']>;
  readonly #witness: Witness | undefined;
  readonly #account: ForeignAccount | undefined;
  #events: StreamEvent[] = [];
  #hasContent = false;
  #weight = 0;

  constructor(decoder: ReturnType<Codec['decodeStream']>, { witness, account }: Pick<Decoded, 'witness' | 'account'>) {
    this.#decoder = decoder;
    this.#witness = witness;
    this.#account = account;
  }

  push(wireEvents: readonly WireEvent[]): void {
    this.#guarded(() => {
      for (const wireEvent of wireEvents) this.#add(this.#decoder.push(wireEvent));
    });
  }

  /** Reads up to the first words of the answer, and gives how many events that took. */
  pushOpening(wireEvents: readonly WireEvent[]): number {
    let read = 0;
    this.#guarded(() => {
      for (const wireEvent of wireEvents) {
        if (this.hasWords) break;
        read++;
        this.#add(this.#decoder.push(wireEvent));
      }
    });
    return read;
  }

  end(wireEvents: readonly WireEvent[]): void {
    this.push(wireEvents);
    this.#guarded(() => this.#add(this.#decoder.end()));
  }

  /** All that may be passed on now; undefined while there is no content, or nothing new. */
  take(): readonly StreamEvent[] | undefined {
    if (!this.#hasContent || this.#events.length === 0) return undefined;
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #add(events: readonly StreamEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#weight += weightOf(event);
      this.#witness?.see(event);
      this.#account?.see(event);
      if (event.type !== 'response-start') this.#hasContent = true;
      if (event.type === 'part-delta') this.hasWords = true;
      if (event.type === 'response-end') this.isComplete = true;
    }
    if (this.#weight > MOST_WEIGHT) throw endless();
  }

  #guarded(decode: () => void): void {
    if (this.failure) return;
    try {
      decode();
    } catch (thrown) {
      this.failure = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
  }
}
