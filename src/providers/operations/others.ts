import { Cancellation } from '../cancellation.ts';
import type { DirectResponse } from '../direct-response.ts';

type Body = Uint8Array | string;

/** Requests under way at a time for one call. */
const AT_ONCE = 8;

/**
 * The answers to several bodies, in their order. One that fails ends the others, as does `whole`, whose own request
 * must be over. Throws what `ask` throws.
 */
export async function answersTo(
  bodies: readonly Body[],
  whole: Cancellation,
  ask: (body: Body, cancellation: Cancellation) => Promise<DirectResponse>,
): Promise<DirectResponse[]> {
  const underWay = new Set<Cancellation>();
  whole.onFire((reason) => {
    for (const each of underWay) each.fire(reason);
  });
  const answers = new Array<DirectResponse>(bodies.length);
  const waiting = bodies.entries();
  const askInTurn = async () => {
    for (const [index, body] of waiting) {
      const cancellation = new Cancellation();
      underWay.add(cancellation);
      answers[index] = await ask(body, cancellation);
      underWay.delete(cancellation);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, bodies.length) }, askInTurn));
  } catch (thrown) {
    for (const each of underWay) each.fire(thrown instanceof Error ? thrown : new Error(String(thrown)));
    throw thrown;
  }
  return answers;
}
