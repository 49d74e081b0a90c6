import type { JsonObject } from '../../model/json.ts';
import type { Citation } from '../citation.ts';

/** The pages that an answer of another format names, as grounding; places count bytes here (Gemini API, Segment). */
export function groundingFields(citations: readonly Citation[], text: string): JsonObject {
  if (citations.length === 0) return {};
  const pages = new Map<string, JsonObject>();
  const supports = new Map<string, { readonly segment: JsonObject; readonly groundingChunkIndices: number[] }>();
  for (const { url, title, start, end } of citations) {
    if (!pages.has(url)) pages.set(url, { web: { uri: url, title } });
    const place = `${start}:${end}`;
    const support = supports.get(place) ?? { segment: segmentOf(text, start, end), groundingChunkIndices: [] };
    supports.set(place, support);
    const index = [...pages.keys()].indexOf(url);
    if (!support.groundingChunkIndices.includes(index)) support.groundingChunkIndices.push(index);
  }
  const groundingSupports = [...supports.values()].map((support) => ({ ...support }));
  return { groundingMetadata: { groundingChunks: [...pages.values()], groundingSupports } };
}

const segmentOf = (text: string, start: number, end: number): JsonObject => ({
  startIndex: Buffer.byteLength(text.slice(0, start)),
  endIndex: Buffer.byteLength(text.slice(0, end)),
  text: text.slice(start, end),
});
