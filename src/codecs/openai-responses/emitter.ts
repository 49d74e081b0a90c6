import type { JsonObject } from '../../model/json.ts';

/** Writes a delta: everything but its number and its text stays the same from one to the next. */
export type WriteDelta = (delta: string) => string;

/** Numbers the events of one stream as it writes them. */
export class Emitter {
  #next = 0;

  emit(type: string, members: JsonObject): string {
    return this.emitText(type, JSON.stringify(members));
  }

  /** `members`: the text of an object, for what several events say. */
  emitText(type: string, members: string): string {
    return `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.#next++},${members.slice(1)}\n\n`;
  }

  deltas(type: string, members: JsonObject): WriteDelta {
    const head = `event: ${type}\ndata: ${JSON.stringify({ type, ...members }).slice(0, -1)},"sequence_number":`;
    return (delta) => `${head}${this.#next++},"delta":${JSON.stringify(delta)}}\n\n`;
  }
}

/** For a whole answer, of which nobody reads the events that it would have come in. */
export class MuteEmitter extends Emitter {
  override emit(): string {
    return '';
  }

  override deltas(): WriteDelta {
    return () => '';
  }
}
