import { isJSONRPCNotification, isJSONRPCRequest } from '@modelcontextprotocol/sdk/types.js';
import { parsedJson } from '../model/json.ts';
import type { ServerMessage } from './gateway-transport.ts';

export interface CausedEvents {
  message(message: ServerMessage): void;
  eventId(id: string): void;
  retry(ms: number): void;
}

const EVENT_END = /\r\n\r\n|\n\n|\r\r/;
/** What may be split between two pieces. */
const MOST_OF_AN_END = 3;
/** As much as a server on stdio may write in one line. */
const MOST_CHARACTERS = 256 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * Reads along with the event stream that answers one call and takes out of it what the server asks and says: the SDK
 * would hand those on without a word about the call that they belong to. Answers and progress pass.
 */
export class CausedMessages {
  readonly #events: CausedEvents;
  readonly #mostCharacters: number;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #open = '';
  #lastOpen = '';

  constructor(events: CausedEvents, mostCharacters = MOST_CHARACTERS) {
    this.#events = events;
    this.#mostCharacters = mostCharacters;
  }

  /** The whole events so far, without those that were taken. */
  push(chunk: Uint8Array): Uint8Array {
    const text = this.#decoder.decode(chunk, { stream: true });
    // A long answer comes in many pieces: until one ends an event, they are not looked at together.
    const ending = this.#lastOpen + text;
    if (!EVENT_END.test(ending)) {
      this.#lastOpen = ending.slice(-MOST_OF_AN_END);
      return this.#keep(text);
    }
    const blocks = (this.#open + text).split(EVENT_END);
    this.#open = blocks.pop() ?? '';
    this.#lastOpen = this.#open.slice(-MOST_OF_AN_END);
    const passed = blocks.map((block) => this.#passed(block)).join('');
    return passed === '' ? NOTHING : this.#encoder.encode(passed);
  }

  end(): Uint8Array {
    const rest = this.#open + this.#decoder.decode();
    this.#open = '';
    return rest === '' ? NOTHING : this.#encoder.encode(rest);
  }

  #keep(text: string): Uint8Array {
    if (this.#open.length + text.length > this.#mostCharacters) {
      throw new Error(`the server sent an event of more than ${this.#mostCharacters} characters`);
    }
    this.#open += text;
    return NOTHING;
  }

  #passed(block: string): string {
    const lines = block.split(/\r\n|\n|\r/);
    const id = fieldOf(lines, 'id');
    const retryMs = Number(fieldOf(lines, 'retry'));
    if (id) this.#events.eventId(id);
    if (retryMs > 0) this.#events.retry(retryMs);
    const message = block.includes('"method"') ? serverMessageOf(lines) : undefined;
    if (!message) return `${block}\n\n`;
    this.#events.message(message);
    // the id still counts, for the stream to be resumed behind it
    return id ? `id: ${id}\ndata: \n\n` : '';
  }
}

function fieldOf(lines: readonly string[], name: string): string | undefined {
  const line = lines.find((each) => each.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

/** Progress is left to the SDK, which knows its tokens. */
function serverMessageOf(lines: readonly string[]): ServerMessage | undefined {
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
  const value = parsedJson(data.join('\n'));
  if (isJSONRPCRequest(value)) return value;
  return isJSONRPCNotification(value) && value.method !== 'notifications/progress' ? value : undefined;
}
