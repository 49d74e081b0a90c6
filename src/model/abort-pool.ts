import { isAwaited } from './on-abort.ts';

const MAX_SPARE = 256;

/**
 * Abort controllers for calls. Making one costs as much as a tenth of a whole request (Node 20, setPrototypeOf in
 * AbortSignal), so one that nobody aborted and nobody listens to any more serves another call.
 */
export class AbortPool {
  readonly #spare: AbortController[] = [];
  readonly #taken = new Set<AbortController>();

  take(): AbortController {
    const controller = this.#spare.pop() ?? new AbortController();
    this.#taken.add(controller);
    return controller;
  }

  /** For a call that has ended. A signal that somebody still holds on to is not used again. */
  giveBack(controller: AbortController): void {
    const { signal } = controller;
    this.#taken.delete(controller);
    if (signal.aborted || this.#spare.length >= MAX_SPARE) return;
    if (!isAwaited(signal)) this.#spare.push(controller);
  }

  /** Ends the calls that are under way. */
  abortAll(reason: Error): void {
    for (const controller of this.#taken) controller.abort(reason);
  }
}
