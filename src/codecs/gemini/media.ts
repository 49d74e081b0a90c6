import type { MediaPart } from '../../model/content.ts';
import { type JsonObject, ownValue } from '../../model/json.ts';
import { imageTypeOf } from '../image-type.ts';
import type { Ledger } from '../ledger.ts';
import { ownBlock } from './wire.ts';

/** A part for media; undefined when the format has none, which then stands in the ledger. */
export function wireMedia(part: MediaPart, at: string, ledger: Ledger): JsonObject | undefined {
  const own = ownBlock(part.origin);
  if (own) return own;
  const { source, mediaType, name } = part;
  if (name !== undefined) ledger.dropped(`${at}.displayName`, 'the API takes no name of a file');
  switch (source.type) {
    case 'text':
      ledger.rewritten(`${at}.source`, 'documents of text are told as text');
      return { text: source.text };
    case 'file':
      ledger.dropped(at, 'a file id of another provider means nothing to this one');
      return undefined;
    case 'url': {
      const mimeType = mediaType.endsWith('/*') ? typeOfUrl(source.url) : mediaType;
      if (mimeType) ledger.invented(`${at}.fileData.mimeType`, 'guessed by the kind of the part and its address');
      return { fileData: { ...(mimeType && { mimeType }), fileUri: source.url } };
    }
    case 'base64':
      if (mediaType === 'image/*') ledger.invented(`${at}.inlineData.mimeType`, 'read from the first bytes');
      return {
        inlineData: { mimeType: mediaType === 'image/*' ? imageTypeOf(source.data) : mediaType, data: source.data },
      };
  }
}

const IMAGE_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
};

const typeOfUrl = (url: string): string | undefined =>
  ownValue(IMAGE_TYPES, /\.(\w+)(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? '');
