import { isJSONRPCNotification, isJSONRPCRequest } from '@modelcontextprotocol/sdk/types.js';
import type { ServerMessage } from './gateway-transport.ts';

export interface CausedEvents {
  message(message: ServerMessage): void;
  eventId(id: string): void;
  retry(ms: number): void;
}

const EVENT_END = /\r\n\r\n|\n\n|\r\r/;
const NOTHING = new Uint8Array(0);

/**
 * Reads along with the event stream that answers one call and takes out of it what the server asks and says: the SDK
 * would hand those on without a word about the call that they belong to. Answers and progress pass.
 */
export class CausedMessages {
  readonly #events: CausedEvents;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #open = '';

  constructor(events: CausedEvents) {
    this.#events = events;
  }

  /** The whole events so far, without those that were taken. */
  push(chunk: Uint8Array): Uint8Array {
    const text = this.#decoder.decode(chunk, { stream: true });
    // A long answer comes in many pieces: only a piece with a line end can end an event.
    if (!text.includes('\n') && !text.includes('\r')) {
      this.#open += text;
      return NOTHING;
    }
    const blocks = (this.#open + text).split(EVENT_END);
    this.#open = blocks.pop() ?? '';
    const passed = blocks.map((block) => this.#passed(block)).join('');
    return passed === '' ? NOTHING : this.#encoder.encode(passed);
  }

  end(): Uint8Array {
    const rest = this.#open + this.#decoder.decode();
    this.#open = '';
    return rest === '' ? NOTHING : this.#encoder.encode(rest);
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
  let value: unknown;
  try {
    value = JSON.parse(data.join('\n'));
  } catch {
    return undefined;
  }
  if (isJSONRPCRequest(value)) return value;
  return isJSONRPCNotification(value) && value.method !== 'notifications/progress' ? value : undefined;
}
