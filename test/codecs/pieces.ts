import type { AnswerContext, Codec, WireEvent } from '../../src/codecs/codec.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import type { StreamEvent } from '../../src/model/event.ts';

/** The events of SSE text of one format that arrives in the given pieces. */
export function decodedPieces(
  { decodeStream }: Pick<Codec, 'decodeStream'>,
  pieces: readonly Uint8Array[],
  context?: AnswerContext,
): StreamEvent[] {
  const reader = createSseReader();
  const decoder = decodeStream(context);
  const events: StreamEvent[] = [];
  const take = (wire: readonly WireEvent[]) => {
    for (const event of wire) events.push(...decoder.push(event));
  };
  for (const piece of pieces) take(reader.push(piece));
  take(reader.end());
  events.push(...decoder.end());
  return events;
}

/** Bytes cut into pieces of the given sizes, taken in turn. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, nth = 0; at < bytes.length; nth += 1) {
    const size = sizes[nth % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
