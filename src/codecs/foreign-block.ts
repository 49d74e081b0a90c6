import type { Origin } from '../model/content.ts';
import type { JsonObject } from '../model/json.ts';
import { textOf } from './members.ts';

/** Why an opaque block of another format is left out. Blocks without a type, as Gemini's, go by what they hold. */
export function foreignBlock({ codec, block }: Origin): string {
  const kind = textOf(block.type) || (contentKeyOf(block) ?? 'an empty block');
  return `"${kind}" exists only in ${codec}`;
}

/** The first member that is no mark beside the content, such as Gemini's signatures. */
function contentKeyOf(block: JsonObject): string | undefined {
  const keys = Object.keys(block);
  return keys.find((key) => !MARKS.has(key)) ?? keys[0];
}

const MARKS: ReadonlySet<string> = new Set(['thought', 'thoughtSignature', 'partMetadata', 'videoMetadata']);
