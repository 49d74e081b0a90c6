import type { CodecId, MediaPart } from '../model/content.ts';
import type { Loss } from '../model/loss.ts';
import { holdsMedia } from './bedrock-converse/media.ts';

/** How a client is shown a picture, a sound or a document that a model of another format made. */
type Shown = 'as it is' | 'as text' | 'not at all';

const SHOWN: Readonly<Record<CodecId, (part: MediaPart) => Shown>> = {
  'anthropic-messages': ({ source }) => (source.type === 'url' || source.type === 'text' ? 'as text' : 'not at all'),
  'bedrock-converse': ({ source, mediaType }) => {
    if (source.type === 'url') return 'as text';
    return source.type !== 'file' && holdsMedia(mediaType) ? 'as it is' : 'not at all';
  },
  gemini: ({ source }) => (source.type === 'file' ? 'not at all' : source.type === 'text' ? 'as text' : 'as it is'),
  'openai-chat': (part) => (isPicture(part) && part.source.type !== 'file' ? 'as it is' : 'not at all'),
  'openai-responses': (part) => (isPicture(part) && part.source.type === 'base64' ? 'as it is' : 'not at all'),
};

const isPicture = ({ mediaType }: MediaPart): boolean => mediaType.startsWith('image/');

/** Streams of the Responses API show a picture while it is made; everywhere else it is shown once it is there. */
function draftLosses({ origin }: MediaPart): Loss[] {
  const count = origin?.drafts;
  if (count === undefined) return [];
  const reason = 'only the finished picture is shown, not what it was on the way';
  return [{ field: 'answer.content.*.partial_image_b64', action: 'dropped', reason, count }];
}

/** What a client of another format is not shown of media in an answer. */
export function mediaLosses(part: MediaPart, client: CodecId): Loss[] {
  const field = 'answer.content.*';
  if (part.origin?.codec === client) return [];
  switch (SHOWN[client](part)) {
    case 'as it is':
      return draftLosses(part);
    case 'as text':
      return [
        { field, action: 'rewritten', reason: `${client} shows ${part.mediaType} in answers as text` },
        ...draftLosses(part),
      ];
    case 'not at all':
      return [
        { field, action: 'dropped', reason: `${client} has no place for ${part.mediaType} in answers` },
        ...draftLosses(part),
      ];
  }
}
