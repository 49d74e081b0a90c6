import { isObject, type JsonObject } from '../../model/json.ts';
import { objectOf, objectsOf, textOf } from './wire.ts';

/**
 * The grounding of a candidate with its segments in all of the text: Google counts bytes from the beginning of the part
 * that `partIndex` names (Gemini API, Segment). As it is where every segment is in the first part.
 */
export function withPlacesInAll(candidate: JsonObject, parts: readonly JsonObject[]): JsonObject {
  const grounding = objectOf(candidate.groundingMetadata);
  const supports = objectsOf(grounding.groundingSupports);
  if (!supports.some(({ segment }) => isObject(segment) && Number(segment.partIndex ?? 0) > 0)) return candidate;
  const begins = beginsOf(parts);
  const groundingSupports = supports.map((support) => {
    const { partIndex, ...segment } = objectOf(support.segment);
    const begin = begins[Number(partIndex ?? 0)] ?? 0;
    const { startIndex = 0, endIndex = 0 } = segment;
    return {
      ...support,
      segment: { ...segment, startIndex: begin + Number(startIndex), endIndex: begin + Number(endIndex) },
    };
  });
  return { ...candidate, groundingMetadata: { ...grounding, groundingSupports } };
}

/** Where each part begins in all of the text, in bytes; thoughts are no part of it. */
function beginsOf(parts: readonly JsonObject[]): number[] {
  let bytes = 0;
  return parts.map(({ text, thought }) => {
    const begin = bytes;
    if (thought !== true) bytes += Buffer.byteLength(textOf(text));
    return begin;
  });
}
