import type { ToolCallPart } from '../../model/content.ts';
import { objectOf, ownBlock, textOf } from './wire.ts';

/**
 * Gemini 3 refuses a conversation whose calls lost their `thoughtSignature`, and other formats have no field for it.
 * So it rides on the call's id, which every client sends back: `<id>_ts_<signature as unpadded base64url>`, as the
 * original gateway does it.
 */
const MARK = '_ts_';

/** Longer signatures stay behind: an id comes back twice with every request, and `SKIP_MARKER` serves without. */
const LONGEST_CARRIED = 4_096;

/** What the API takes in place of a signature for calls that another model made (Gemini API, thought signatures). */
export const SKIP_MARKER = 'skip_thought_signature_validator';

/** What clients put where they have no signature (Gemini CLI): ids stay as they were given out. */
const PLACEHOLDERS: readonly string[] = ['', SKIP_MARKER, 'context_engineering_is_the_way_to_go'];

export function signedId(id: string, signature: string): string {
  if (PLACEHOLDERS.includes(signature) || signature.length > LONGEST_CARRIED) return id;
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(signature)) return id;
  return id + MARK + signature.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export interface SplitId {
  readonly id: string;
  /** In padded base64, as the API writes it; empty when the id carries none. */
  readonly signature: string;
}

export function splitId(id: string): SplitId {
  const at = id.indexOf(MARK);
  if (at <= 0) return { id, signature: '' };
  const carried = id.slice(at + MARK.length);
  // four letters are three bytes: one letter more says nothing, so this is some client's own id
  if (!/^[A-Za-z0-9_-]+$/.test(carried) || carried.length % 4 === 1) return { id, signature: '' };
  const base64 = carried.replaceAll('-', '+').replaceAll('_', '/');
  return { id: id.slice(0, at), signature: base64.padEnd(Math.ceil(base64.length / 4) * 4, '=') };
}

/** The signature of a call, wherever its format could keep it: its own block, OpenAI's extension field, or its id. */
export function signatureOf({ id, origin }: ToolCallPart): string {
  const own = ownBlock(origin);
  if (own) return textOf(own.thoughtSignature);
  // where Google's own OpenAI-compatible API puts it
  const { google } = objectOf(origin?.block.extra_content);
  return textOf(objectOf(google).thought_signature) || splitId(id).signature;
}
