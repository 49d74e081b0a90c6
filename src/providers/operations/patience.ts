import { asGatewayError } from '../../model/errors.ts';
import type { Upload } from '../../model/operation.ts';

/** A clock for what a provider may take: it stands still while something else is waited for. */
export class Patience {
  readonly #onEnd: () => void;
  readonly #timeoutMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(timeoutMs: number, onEnd: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onEnd = onEnd;
    this.start();
  }

  /** All of the time, anew. */
  start(): void {
    this.stop();
    if (!this.#isOver) this.#timer = setTimeout(this.#onEnd, this.#timeoutMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** For good. */
  end(): void {
    this.#isOver = true;
    this.stop();
  }
}

/**
 * The pieces of an upload; a provider has all its time for each, and a slow client costs it none. `onFailure` is told
 * why no more of them can come.
 */
export async function* patiently(
  upload: Upload,
  patience: Patience,
  onFailure: (reason: Error) => void,
): AsyncGenerator<Uint8Array, void> {
  const pieces = upload.pieces();
  try {
    for (;;) {
      patience.stop();
      const next = await pieces.next();
      patience.start();
      if (next.done) return;
      yield next.value;
    }
  } catch (thrown) {
    onFailure(asGatewayError(thrown));
    throw thrown;
  } finally {
    await pieces.return();
  }
}
