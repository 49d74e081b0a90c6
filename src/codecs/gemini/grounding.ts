import type { JsonObject } from '../../model/json.ts';
import { type Citation, LONGEST_CITING } from '../citation.ts';
import { textOf } from './wire.ts';

/** The pages that an answer of another format names, as grounding; places count bytes here (Gemini API, Segment). */
export function groundingFields(citations: readonly Citation[], text: string): JsonObject {
  if (citations.length === 0 || text.length > LONGEST_CITING) return {};
  const pages = new Map<string, { readonly web: JsonObject; readonly index: number }>();
  let told = 0;
  const supports = new Map<string, { readonly segment: JsonObject; readonly groundingChunkIndices: number[] }>();
  for (const { url, title, start, end } of citations) {
    const { index } = pages.get(url) ?? { index: pages.size };
    if (index === pages.size) pages.set(url, { web: { uri: url, title }, index });
    const place = `${start}:${end}`;
    let support = supports.get(place);
    if (!support) {
      const segment = segmentOf(text, start, end, told < MOST_TOLD);
      told += textOf(segment.text).length;
      support = { segment, groundingChunkIndices: [] };
      supports.set(place, support);
    }
    if (!support.groundingChunkIndices.includes(index)) support.groundingChunkIndices.push(index);
  }
  const groundingSupports = [...supports.values()].map((support) => ({ ...support }));
  return {
    groundingMetadata: { groundingChunks: Array.from(pages.values(), ({ web }) => ({ web })), groundingSupports },
  };
}

/** Of segments that overlap, all together: what comes behind it is told by its place alone. */
const MOST_TOLD = 4_000_000;

const segmentOf = (text: string, start: number, end: number, tellsText: boolean): JsonObject => ({
  startIndex: Buffer.byteLength(text.slice(0, start)),
  endIndex: Buffer.byteLength(text.slice(0, end)),
  ...(tellsText && { text: text.slice(start, end) }),
});
