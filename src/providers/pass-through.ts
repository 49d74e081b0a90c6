import type { Codec, Glance } from '../codecs/codec.ts';
import { createSseReader } from '../codecs/sse.ts';
import { GatewayError } from '../model/errors.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import { NO_USAGE } from '../model/usage.ts';
import type { StreamBody } from './direct-response.ts';
import { cutShort, watchIdle } from './idle.ts';
import { StreamEnds } from './stream-ends.ts';
import type { Witness } from './witness.ts';

const NO_EVENTS: readonly StreamEvent[] = Object.freeze([]);
const NO_BYTES = new Uint8Array(0);

/** Bytes looked at in one step while searching for the first content: a burst is not decoded to its end. */
const OPENING_STEP_BYTES = 1_024;
/** An opening this long without content is not held back any longer. */
const MAX_OPENING_BYTES = 65_536;

export interface PassThrough {
  readonly codec: Codec;
  readonly body: StreamBody;
  readonly provider: string;
  readonly idleMs: number;
  /** Reads along. */
  readonly witness?: Witness | undefined;
  /** Called with an error that the bytes already tell the client about. */
  readonly onErrorInside: (error: GatewayError) => void;
}

/**
 * An upstream's stream as it came, a frame for each read. Nothing is passed on before the first content, so that a
 * failure in the opening can still be answered by another provider. The last frame has no bytes and the `response-end`
 * event. A stream that was cut throws GatewayError('network'). One that ended in the dialect's own error event does not
 * throw, because the client has it from the bytes: it ends with reason `other`, and `onErrorInside` is told.
 */
export async function* passThroughFrames(given: PassThrough): AsyncGenerator<Frame> {
  const { codec, body, provider, idleMs, witness } = given;
  const ends = new StreamEnds();
  const opening = new Opening(codec);
  const isComplete = () => codec.glance(ends.bytes, 'sse').complete;
  const watch = watchIdle(body, { idleMs, provider, isComplete });
  let broken: unknown;
  try {
    for (;;) {
      const bytes = await body.read().catch((thrown: unknown) => {
        broken = thrown;
      });
      if (!bytes) break;
      if (!isComment(bytes)) watch.heard();
      ends.push(bytes);
      witness?.seeBytes(bytes);
      const passed = opening.pass(bytes);
      if (passed) yield { raw: { codec: codec.id, bytes: passed }, events: NO_EVENTS };
    }
  } finally {
    watch.stop();
  }
  const glance = codec.glance(ends.bytes, 'sse');
  if (!glance.complete && !glance.error) throw broken ?? cutShort(provider);
  if (glance.error && opening.held) throw toldBy(glance.error, codec, opening.held);
  if (glance.error) given.onErrorInside(glance.error);
  else witness?.seeEnd('sse');
  yield { raw: { codec: codec.id, bytes: opening.held ?? NO_BYTES }, events: [endOf(glance)], isLast: true };
}

export const endOf = ({ reason, usage }: Glance): StreamEvent => ({
  type: 'response-end',
  reason: reason ?? { kind: 'other' },
  usage: usage ?? NO_USAGE,
});

/** The error with the stream that told it: where nothing else answers, a client of the same format gets just that. */
const toldBy = (error: GatewayError, { id }: Codec, bytes: Uint8Array): GatewayError =>
  new GatewayError(error.kind, error.message, { ...error.details, stream: { codec: id, bytes } });

/** A keep-alive comment is no sign that the model is at work. */
const isComment = (bytes: Buffer): boolean => bytes[0] === 0x3a && !bytes.includes('data:');

/** The bytes before the first content, held back until it comes. */
class Opening {
  readonly #codec: Codec;
  readonly #decoder: ReturnType<Codec['decodeStream']>;
  readonly #reader = createSseReader();
  #held: Buffer[] | undefined = [];
  #heldBytes = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#decoder = codec.decodeStream();
  }

  /** What waits; undefined once content has come. */
  get held(): Buffer | undefined {
    const [only] = this.#held ?? [];
    return this.#held?.length === 1 ? only : this.#held && Buffer.concat(this.#held);
  }

  /** What may go to the client now. Throws the dialect's own error if it comes before any content. */
  pass(bytes: Buffer): Buffer | undefined {
    if (!this.#held) return bytes;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (!this.#hasContent(bytes) && this.#heldBytes < MAX_OPENING_BYTES) return undefined;
    const all = this.held;
    this.#held = undefined;
    return all;
  }

  #hasContent(bytes: Buffer): boolean {
    try {
      for (let at = 0; at < bytes.length; at += OPENING_STEP_BYTES) {
        for (const wireEvent of this.#reader.push(bytes.subarray(at, at + OPENING_STEP_BYTES))) {
          if (this.#decoder.push(wireEvent).some(({ type }) => type !== 'response-start')) return true;
        }
      }
      return false;
    } catch (thrown) {
      // What we cannot read, the client may: only the upstream's own error is ours to react to
      if (thrown instanceof GatewayError && thrown.kind === 'bad-response') return true;
      throw thrown instanceof GatewayError ? toldBy(thrown, this.#codec, this.held ?? bytes) : thrown;
    }
  }
}
