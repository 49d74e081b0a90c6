import type { Origin, Part } from '../../model/content.ts';
import type { StreamEvent } from '../../model/event.ts';

/** Numbers the parts of one answer and collects their events. */
export class PartSink {
  #events: StreamEvent[] = [];
  #next = 0;

  /** The number of the part that begins. */
  start(part: Part): number {
    const index = this.#next++;
    this.#events.push({ type: 'part-start', index, part });
    return index;
  }

  grow(index: number, delta: string): void {
    if (delta !== '') this.#events.push({ type: 'part-delta', index, delta });
  }

  end(index: number, origin: Origin): void {
    this.#events.push({ type: 'part-end', index, origin });
  }

  /** The events since the last call. */
  take(): StreamEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** A text that comes in deltas and then once more as a whole, in full, in part or not at all. */
export class GrowingText {
  #sent = '';

  get sent(): string {
    return this.#sent;
  }

  add(delta: string): string {
    this.#sent += delta;
    return delta;
  }

  /** What of the whole was not yet sent; servers exist that send arguments only when they are done. */
  rest(whole: string): string {
    const rest = whole.startsWith(this.#sent) ? whole.slice(this.#sent.length) : '';
    this.#sent += rest;
    return rest;
  }
}
