import type { ProviderKey } from '../config/schema.ts';
import type { Attempt, CallContext } from '../model/call.ts';
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { CallTarget } from '../providers/target.ts';
import { backoffMs, type Sleep } from './backoff.ts';
import { keyOfCaller } from './direct-keys.ts';
import { aliasOf, eligibleKeys, keysMeantFor, pickKey } from './keys.ts';
import { type Reaction, reactionTo } from './reactions.ts';
import type { Target } from './resolve.ts';

/** One try at one target: a chat gives frames, another operation its own pieces. */
type Try<Request, Piece> = (target: CallTarget, request: Request, context: CallContext) => AsyncIterable<Piece>;

export interface AttemptTools<Request, Piece> {
  readonly call: Try<Request, Piece>;
  readonly random: () => number;
  readonly sleep: Sleep;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** An answer that has begun: its first piece, and where the others come from. */
export interface Begun<Piece> {
  readonly first: Piece;
  readonly rest: AsyncIterator<Piece>;
  readonly attempt: Attempt;
}

export interface Failed {
  readonly error: GatewayError;
  /** False when no other target may be tried either. */
  readonly mayFallBack: boolean;
}

/**
 * Tries one target with its keys until an answer begins. Rate limits change the key, dead keys do so at once, trouble
 * upstream repeats with the same; pauses and repeats are the provider's `max_retries`, a dead key costs none.
 */
export async function tryTarget<Request, Piece>(
  target: Target,
  fallbackIndex: number,
  request: Request,
  context: CallContext,
  tools: AttemptTools<Request, Piece>,
): Promise<Begun<Piece> | Failed> {
  const { provider, model } = target;
  const { directKey, keyPin } = context.caller;
  const usable = directKey
    ? [keyOfCaller(provider, directKey)]
    : keysMeantFor(context.operation, eligibleKeys(provider, model, keyPin));
  const keys = new KeyRing(usable, tools.random);
  for (let retry = 0; ; ) {
    const key = keys.current;
    const attempt = recorded(context, target, key, fallbackIndex, tools.now());
    const rest = tools.call({ provider, key, model: attempt.model }, request, context)[Symbol.asyncIterator]();
    let error: GatewayError;
    try {
      const { done, value: first } = await rest.next();
      if (!done) return { first, rest, attempt };
      error = answeredNothing(provider.name);
    } catch (thrown) {
      error = asGatewayError(thrown);
    }
    attempt.error = error.message;
    const reaction = context.signal.aborted ? 'stop' : reactionTo(error);
    if (reaction === 'stop' || reaction === 'next-target') return { error, mayFallBack: reaction !== 'stop' };
    if (!keys.advance(reaction)) return { error, mayFallBack: true };
    if (reaction === 'drop-key') continue;
    if (retry >= provider.network.max_retries) return { error, mayFallBack: true };
    await tools.sleep(
      backoffMs(retry, provider.network, error.details.retryAfterMs ?? 0, tools.random),
      context.signal,
    );
    retry++;
  }
}

function recorded(context: CallContext, target: Target, key: ProviderKey, fallbackIndex: number, now: number): Attempt {
  const alias = aliasOf(key, target.model);
  const attempt: Attempt = {
    provider: target.provider.name,
    model: alias?.model_id ?? target.model,
    keyName: key.name,
    fallbackIndex,
    startedAtMs: now,
    ...(alias && { alias }),
  };
  context.trace.attempts.push(attempt);
  return attempt;
}

const answeredNothing = (provider: string): GatewayError =>
  new GatewayError('bad-response', `${provider} answered nothing`, { provider });

/** The keys of one target during one request. */
class KeyRing {
  readonly #random: () => number;
  #alive: readonly ProviderKey[];
  #fresh: readonly ProviderKey[];
  #current: ProviderKey;

  constructor(keys: readonly ProviderKey[], random: () => number) {
    this.#random = random;
    this.#alive = keys;
    this.#fresh = keys;
    this.#current = this.#pick();
  }

  get current(): ProviderKey {
    return this.#current;
  }

  /** Goes to the key that the reaction asks for; false when none is left. */
  advance(reaction: Reaction): boolean {
    if (reaction === 'retry') return true;
    const others = (keys: readonly ProviderKey[]) => keys.filter((key) => key !== this.#current);
    if (reaction === 'drop-key') this.#alive = others(this.#alive);
    this.#fresh = others(this.#fresh);
    // Once all were tried, they are tried again
    if (this.#fresh.length === 0) this.#fresh = this.#alive;
    if (this.#fresh.length === 0) return false;
    this.#current = this.#pick();
    return true;
  }

  #pick(): ProviderKey {
    const [first, ...others] = this.#fresh;
    if (!first) throw new GatewayError('internal', 'a target without keys was tried');
    return pickKey([first, ...others], this.#random);
  }
}
