import type { Origin } from '../model/content.ts';
import { textOf } from './members.ts';

/** Why an opaque block of another format is left out. Blocks without a type, as Gemini's, go by their first member. */
export function foreignBlock({ codec, block }: Origin): string {
  const kind = textOf(block.type) || (Object.keys(block)[0] ?? 'an empty block');
  return `"${kind}" exists only in ${codec}`;
}
