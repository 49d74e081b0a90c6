/** Remembers what was told, so that a failure which repeats itself is told once: until it changes, or all went well. */
export class ToldOnce {
  #last: string | undefined;

  isNew(message: string): boolean {
    const isNew = message !== this.#last;
    this.#last = message;
    return isNew;
  }

  wentWell(): void {
    this.#last = undefined;
  }
}
