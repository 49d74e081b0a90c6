import type { CallContext, ModelCall } from '../model/call.ts';
import type { Frame } from '../model/event.ts';

const REMEMBERED = 10_000;
/** The id stands near the beginning of a whole answer and of a stream. */
const READ_BYTES = 4_096;
const RESPONSE_ID = /"id"\s*:\s*"(resp_[\w-]+)"/;

/** Which provider made a response that it keeps: only that one can give it again, cancel or delete it. */
export class ResponseOwners {
  readonly #providers = new Map<string, string>();

  providerOf(responseId: string): string | undefined {
    return this.#providers.get(responseId);
  }

  /** The call, with ids of Responses answers remembered as they pass. What we translated is kept by nobody. */
  watch(next: ModelCall): ModelCall {
    return (request, context) => {
      const frames = next(request, context);
      return context.dialect === 'openai-responses' ? new WatchedFrames(frames, this, context) : frames;
    };
  }

  see({ raw }: Frame, { trace }: CallContext): void {
    const provider = trace.attempts.at(-1)?.provider;
    if (raw?.codec !== 'openai-responses' || provider === undefined) return;
    const { buffer, byteOffset, byteLength } = raw.bytes;
    const start = Buffer.from(buffer, byteOffset, Math.min(byteLength, READ_BYTES)).toString('latin1');
    const id = RESPONSE_ID.exec(start)?.[1];
    if (id === undefined) return;
    this.#providers.set(id, provider);
    const [oldest] = this.#providers.keys();
    if (this.#providers.size > REMEMBERED && oldest !== undefined) this.#providers.delete(oldest);
  }
}

/** Looks at the first frame and steps aside: no frame after it costs another turn of the event loop. */
class WatchedFrames implements AsyncIterableIterator<Frame> {
  readonly #frames: AsyncIterator<Frame>;
  readonly #owners: ResponseOwners;
  readonly #context: CallContext;
  #isFirst = true;

  constructor(frames: AsyncIterable<Frame>, owners: ResponseOwners, context: CallContext) {
    this.#frames = frames[Symbol.asyncIterator]();
    this.#owners = owners;
    this.#context = context;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Frame>> {
    if (!this.#isFirst) return this.#frames.next();
    this.#isFirst = false;
    return this.#frames.next().then((first) => {
      if (!first.done) this.#owners.see(first.value, this.#context);
      return first;
    });
  }

  async return(): Promise<IteratorResult<Frame>> {
    return (await this.#frames.return?.()) ?? { done: true, value: undefined };
  }
}
