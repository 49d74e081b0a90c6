import type { ToolResult } from './contract.ts';
import { isTransient } from './failures.ts';
import { rpcErrorIn } from './rpc-failure.ts';

const DENIED = /\b(?:unknown tool|no such tool|tool\b.{0,200}\b(?:not found|does not exist|is unknown))/is;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

/**
 * Whether the end of a call says that the server may be another one by now. Where there is no session to be lost, a
 * server that was started anew says so in no other way.
 */
export function castsDoubt(thrown: unknown): boolean {
  const error = rpcErrorIn(thrown);
  if (!error) return isTransient(thrown);
  return error.code === METHOD_NOT_FOUND || (error.code === INVALID_PARAMS && DENIED.test(error.message));
}

/** A result in the place of an error, as the SDKs' servers have it: the server does not know the tool that it listed. */
export function deniesTool({ isError, content: [first] }: ToolResult): boolean {
  return isError === true && typeof first?.text === 'string' && DENIED.test(first.text.slice(0, 500));
}

/** Has a server looked at: once for as many calls as fail at about the same time. */
export class Doubts {
  readonly #everyMs: number;
  readonly #look: () => void;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number, look: () => void) {
    this.#everyMs = everyMs;
    this.#look = look;
  }

  arise(): void {
    const now = performance.now();
    if (now - this.#lastAtMs < this.#everyMs) return;
    this.#lastAtMs = now;
    this.#look();
  }
}
