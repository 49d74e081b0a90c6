import type { Cancellation } from '../cancellation.ts';
import type { DirectResponse } from '../direct-response.ts';

/** Between two questions: at first, and at most. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 3_000;

interface Waiting {
  /** Where to ask for an answer again; undefined once it is complete. */
  readonly pendingAt: (answer: DirectResponse) => string | undefined;
  readonly ask: (path: string) => Promise<DirectResponse>;
  /** Ends the waiting too. */
  readonly cancellation: Cancellation;
}

/** An answer that was begun only, once it is complete: asked for again, less and less often. Throws what `ask` throws. */
export async function whenComplete(
  begun: DirectResponse,
  { pendingAt, ask, cancellation }: Waiting,
): Promise<DirectResponse> {
  let answer = begun;
  let pauseMs = FIRST_PAUSE_MS;
  for (let path = pendingAt(answer); path !== undefined; path = pendingAt(answer)) {
    await pause(pauseMs, cancellation);
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    answer = await ask(path);
  }
  return answer;
}

/** The request before is over, and the next one takes the cancellation for itself. */
function pause(ms: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    cancellation.onFire((reason) => {
      clearTimeout(timer);
      reject(reason);
    });
  });
}
