import type { Origin, Part } from '../../model/content.ts';
import type { StreamEvent } from '../../model/event.ts';

/** A part that may still grow. */
export interface GrowingPart {
  /** The part as `part-start` carries it; undefined while too little is known of it. */
  start(): Part | undefined;
  /** Whether it can be closed as soon as another part waits behind it. */
  isComplete(): boolean;
  /** Text that completes the part when it ends, for what cannot be streamed. */
  rest?(): string;
  /** The finished wire block. */
  finished?(): Origin | undefined;
}

interface Place {
  readonly part: GrowingPart;
  /** Text that came while the part was not yet open. */
  waiting: string;
}

/**
 * Gives parts out one after the other, although the wire may interleave them: the front part streams live, those behind
 * it are kept back until it is complete. So every dialect can write one block at a time.
 */
export class PartQueue {
  readonly #places: Place[] = [];
  #events: StreamEvent[] = [];
  #open = false;
  #index = 0;

  /** The part that came last, open or waiting. */
  get last(): GrowingPart | undefined {
    return this.#places.at(-1)?.part;
  }

  add(part: GrowingPart): void {
    this.#places.push({ part, waiting: '' });
    this.#advance(false);
  }

  grow(part: GrowingPart, delta: string): void {
    const [front] = this.#places;
    if (this.#open && front?.part === part) {
      if (delta !== '') this.#events.push({ type: 'part-delta', index: this.#index, delta });
    } else {
      // what grows came last, nearly always
      const place = this.#places.findLast((candidate) => candidate.part === part);
      if (place) place.waiting += delta;
    }
    this.#advance(false);
  }

  /** Opens and ends whatever is left. */
  close(): void {
    this.#advance(true);
  }

  /** The events since the last call. */
  take(): StreamEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #advance(closing: boolean): void {
    for (;;) {
      const front = this.#places[0];
      if (!front) return;
      if (!this.#open && !this.#start(front)) {
        if (!closing) return;
        this.#places.shift();
        continue;
      }
      const over = closing || (this.#places.length > 1 && front.part.isComplete());
      if (!over) return;
      this.#end(front);
    }
  }

  #start(place: Place): boolean {
    const part = place.part.start();
    if (!part) return false;
    this.#events.push({ type: 'part-start', index: this.#index, part });
    this.#open = true;
    if (place.waiting !== '') this.#events.push({ type: 'part-delta', index: this.#index, delta: place.waiting });
    return true;
  }

  #end(place: Place): void {
    const rest = place.part.rest?.() ?? '';
    if (rest !== '') this.#events.push({ type: 'part-delta', index: this.#index, delta: rest });
    const origin = place.part.finished?.();
    this.#events.push({ type: 'part-end', index: this.#index, ...(origin && { origin }) });
    this.#places.shift();
    this.#open = false;
    this.#index += 1;
  }
}
