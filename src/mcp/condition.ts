import { type CredentialError, credentialErrorIn, isPermanent } from './failures.ts';
import { type FailureStage, type Life, type LifecycleEvent, NEW_LIFE, nextLife } from './lifecycle.ts';
import type { Session } from './session.ts';
import { causeIn, type Telling } from './telling.ts';

/**
 * How one enabled MCP client is doing: its state and what it failed of, its dials, and what its last process wrote to
 * stderr. Failures are told in the log, and to whoever follows the client.
 */
export class Condition {
  readonly #telling: Telling;
  readonly #changed: () => void;
  #life = NEW_LIFE;
  #dials = 0;
  #lastDialFailedAtMs = Number.NEGATIVE_INFINITY;
  #lastStderr: readonly string[] = [];

  constructor(telling: Telling, changed: () => void) {
    this.#telling = telling;
    this.#changed = changed;
  }

  get life(): Life {
    return this.#life;
  }

  /** Successful dials after the first. */
  get redials(): number {
    return Math.max(0, this.#dials - 1);
  }

  /** Of the last process, once it is no more. */
  get lastStderr(): readonly string[] {
    return this.#lastStderr;
  }

  failedToDialWithin(ms: number): boolean {
    return performance.now() - this.#lastDialFailedAtMs < ms;
  }

  happened(event: LifecycleEvent): void {
    this.#life = nextLife(this.#life, event);
  }

  dialled(): void {
    this.#dials += 1;
    this.#lastDialFailedAtMs = Number.NEGATIVE_INFINITY;
  }

  dialFailed(thrown: unknown, stderr: readonly string[]): void {
    this.#lastStderr = stderr;
    this.#lastDialFailedAtMs = performance.now();
    const credential = credentialErrorIn(thrown);
    const failure = this.#telling.failure('connect', thrown);
    if (credential) this.refused(credential);
    else this.#failed({ type: 'dial-failed', failure, isPermanent: isPermanent(causeIn(thrown)) });
  }

  checkFailed(stage: FailureStage, thrown: unknown): void {
    this.#failed({ type: 'check-failed', failure: this.#telling.failure(stage, thrown) });
  }

  /** The session ended by itself. One that was up for `stableAfterMs` makes the failures before it forgotten. */
  lost(session: Session, stableAfterMs: number): void {
    this.ended(session);
    const failure = this.#telling.failure('transport_lost', session.explained(new Error('Not connected')));
    const wasStable = performance.now() - session.openedAtMs > stableAfterMs;
    this.#failed({ type: 'connection-lost', failure, wasStable });
  }

  ended({ stderr }: Session): void {
    this.#lastStderr = stderr;
  }

  refused(error: CredentialError): void {
    const type = error.state === 'needs_reauth' ? 'credential-refused' : 'verification-awaited';
    this.#failed({ type, failure: this.#telling.failure('credential', error) });
  }

  #failed(event: Extract<LifecycleEvent, { failure: unknown }>): void {
    this.happened(event);
    this.#telling.failed(event.failure);
    this.#changed();
  }
}
