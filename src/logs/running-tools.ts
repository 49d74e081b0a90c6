import type { ToolRunStart } from './record.ts';

/**
 * Tool runs that go on. They cost the log nothing until somebody looks: only then each of them is written, as a row that
 * the end of the run replaces.
 */
export class RunningTools {
  readonly #write: (start: ToolRunStart) => void;
  readonly #unseen = new Map<string, ToolRunStart>();
  #wasLookedAt = false;

  constructor(write: (start: ToolRunStart) => void) {
    this.#write = write;
  }

  begin(start: ToolRunStart): void {
    this.#unseen.set(start.id, start);
  }

  end({ id }: ToolRunStart): void {
    this.#unseen.delete(id);
  }

  /** True once: what the log has as going on by then is an earlier gateway's. */
  isFirstLook(): boolean {
    const isFirst = !this.#wasLookedAt;
    this.#wasLookedAt = true;
    return isFirst;
  }

  show(): void {
    for (const start of this.#unseen.values()) this.#write(start);
    this.#unseen.clear();
  }
}
