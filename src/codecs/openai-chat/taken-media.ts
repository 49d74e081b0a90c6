import type { MediaPart } from '../../model/content.ts';
import { isObject, type JsonObject, ownValue } from '../../model/json.ts';
import type { EncodeTarget } from '../codec.ts';
import type { Ledger } from '../ledger.ts';
import { wireMedia } from './media.ts';
import { ownBlock, textOf } from './wire.ts';

/**
 * A content part for what the model takes of media, and words in place of what it does not: refused, it would stand in
 * the history and spoil every turn that follows. What came in this format is the client's own affair.
 */
export function takenMedia(part: MediaPart, at: string, target: EncodeTarget, ledger: Ledger): JsonObject | undefined {
  const block = wireMedia(part, at, ledger);
  if (!block || ownBlock(part.origin)) return block;
  if (block.type === 'file' && target.vision !== false && target.files === 'document_url') return documentOf(block);
  const why = whyNotTaken(textOf(block.type), target);
  if (why === undefined) return block;
  ledger.dropped(at, why);
  const kind = ownValue(KINDS, textOf(block.type)) ?? 'file';
  return { type: 'text', text: `[${part.name === undefined ? kind : `${kind} ${part.name}`} left out: ${why}]` };
}

const KINDS: Readonly<Record<string, string>> = { image_url: 'image', input_audio: 'audio', file: 'file' };

function whyNotTaken(type: string, { vision, files, sound }: EncodeTarget): string | undefined {
  if (type === 'text') return undefined;
  if (vision === false && type !== 'input_audio') return 'this model reads text only';
  if (type === 'input_audio') return sound === false ? 'this provider takes no sound' : undefined;
  return type === 'file' && files === 'none' ? 'this provider takes no files' : undefined;
}

/** Mistral API reference, chat: a chunk of type document_url, whose URL may hold the data. */
function documentOf({ file }: JsonObject): JsonObject {
  const { file_data: url, filename } = isObject(file) ? file : {};
  return { type: 'document_url', document_url: textOf(url), document_name: textOf(filename) };
}
