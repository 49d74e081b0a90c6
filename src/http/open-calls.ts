import { AbortPool } from '../model/abort-pool.ts';
import { GatewayError } from '../model/errors.ts';

/** The calls that are being served, so that a gateway that stops can end them in words. */
export class OpenCalls {
  readonly #pool = new AbortPool();
  readonly #open = new Set<AbortController>();

  begin(): AbortController {
    const controller = this.#pool.take();
    this.#open.add(controller);
    return controller;
  }

  over(controller: AbortController): void {
    this.#open.delete(controller);
    this.#pool.giveBack(controller);
  }

  /** Ends all that are open, up to the provider and the tools: their clients are told in their own dialects. */
  end(): void {
    for (const controller of this.#open) controller.abort(stopping());
  }
}

const stopping = (): GatewayError =>
  new GatewayError('overloaded', 'the gateway was stopped before the answer was complete; send the request again');
