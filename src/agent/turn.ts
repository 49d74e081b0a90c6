import type { CodecId, EarlierEnd, Origin, Part } from '../model/content.ts';
import type { StreamEvent } from '../model/event.ts';
import { type ChatResponse, emptyResponse, fold } from '../model/response.ts';

/**
 * One turn of the model as it streams in: text and reasoning may flow on at once; from the first tool call on, events
 * are held until it is known whose calls they are.
 */
export class Turn {
  readonly response: ChatResponse = emptyResponse();
  readonly held: StreamEvent[] = [];
  #holding = false;

  /** Takes one event and says whether it may flow on now. */
  take(event: StreamEvent): boolean {
    fold(this.response, event);
    if (event.type === 'response-start' || event.type === 'response-end') return false;
    if (event.type === 'part-start' && event.part.type === 'tool-call') this.#holding = true;
    if (this.#holding) this.held.push(event);
    return !this.#holding;
  }

  /** The turn's parts without holes, as history for the next round. */
  get parts(): Part[] {
    return this.response.parts.filter((part) => part !== undefined && !isEmptyText(part));
  }

  /**
   * What the provider says at its end. Of a turn among others, a client of the same format is not told: its counts and
   * places are that turn's own. Other formats read from it the pages that the turn's text rests on.
   */
  saidAtEnd(round: number, dialect: CodecId, earlier: readonly EarlierEnd[]): { origin?: Origin } {
    const { endOrigin } = this.response;
    if (!endOrigin || round === 0) return endOrigin ? { origin: endOrigin } : {};
    if (endOrigin.codec === dialect) return {};
    return { origin: { ...endOrigin, covers: this.#textLength, ...(earlier.length > 0 && { earlier }) } };
  }

  /** What the provider says at its end, for the end of the whole answer; `before`: the turns before this one. */
  earlierEnds(before: readonly EarlierEnd[]): readonly EarlierEnd[] {
    const length = this.#textLength;
    if (length === 0) return before;
    const last = before.at(-1);
    return [...before, { origin: this.response.endOrigin, from: last ? last.from + last.length : 0, length }];
  }

  get #textLength(): number {
    return this.response.parts.reduce((length, part) => length + (part.type === 'text' ? part.text.length : 0), 0);
  }
}

const isEmptyText = (part: Part): boolean => part.type === 'text' && part.text === '' && !part.origin;

/**
 * Gives one response's numbering to the parts of many turns: each turn counts from 0, the client sees one response.
 */
export class PartNumbering {
  readonly #indexes = new Map<number, number>();
  #next = 0;

  beginTurn(): void {
    this.#indexes.clear();
  }

  renumbered(event: StreamEvent): StreamEvent {
    switch (event.type) {
      case 'part-start':
        this.#indexes.set(event.index, this.#next);
        return { ...event, index: this.#next++ };
      case 'part-delta':
      case 'part-end':
        return { ...event, index: this.#indexes.get(event.index) ?? event.index };
      default:
        return event;
    }
  }

  /** Start and end of a part that arrives whole. */
  whole(part: Part): StreamEvent[] {
    const index = this.#next++;
    return [
      { type: 'part-start', index, part },
      { type: 'part-end', index },
    ];
  }
}
