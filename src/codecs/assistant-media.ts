import type { CodecId, MediaPart, Message, Part } from '../model/content.ts';
import type { Loss } from '../model/loss.ts';

/** Whose models are to see what an assistant's turn of another format holds beside its words. */
export interface Seeing {
  readonly codec: CodecId;
  /** Whether the model is known to see pictures. */
  readonly sees: boolean;
}

/**
 * The conversation with pictures of the assistant's turns as the user's, who shows them ahead of what he says next: most
 * APIs take none from the assistant ("'image' blocks are not permitted within assistant turns"), and no other media. The
 * very same list where there is nothing to move. What this format's own models made stays where it was.
 */
export function mediaShownByUser(messages: readonly Message[], seeing: Seeing, losses: Loss[]): readonly Message[] {
  const isMoved = (part: Part): part is MediaPart => part.type === 'media' && part.origin?.codec !== seeing.codec;
  if (!messages.some(({ role, parts }) => role === 'assistant' && parts.some(isMoved))) return messages;
  const written: Message[] = [];
  let held: MediaPart[] = [];
  const show = (): void => {
    if (held.length > 0) written.push({ role: 'user', parts: [...held.flatMap(introduced)] });
    held = [];
  };
  messages.forEach((message, index) => {
    if (message.role === 'user') show();
    if (message.role !== 'assistant') {
      written.push(message);
      return;
    }
    const moved = message.parts.filter(isMoved);
    losses.push(...moved.map((part) => lossOf(part, index, seeing)));
    held.push(...moved.filter((part) => isShown(part, seeing)));
    written.push(moved.length === 0 ? message : { ...message, parts: message.parts.filter((part) => !isMoved(part)) });
  });
  // a turn that ends with results of tools is the user's, too; behind the assistant's own words nothing may stand
  if (written.at(-1)?.role !== 'assistant') show();
  return written;
}

/** Bedrock fetches nothing from the web. */
const isShown = ({ mediaType, source }: MediaPart, { codec, sees }: Seeing): boolean =>
  sees &&
  mediaType.startsWith('image/') &&
  (source.type === 'base64' || (source.type === 'url' && codec !== 'bedrock-converse'));

const introduced = (part: MediaPart): Part[] => [
  { type: 'text', text: `[${part.name ?? part.mediaType}, made by the assistant in its last turn:]` },
  part,
];

function lossOf(part: MediaPart, index: number, seeing: Seeing): Loss {
  const field = `messages.${index}`;
  if (!isShown(part, seeing)) return { field, action: 'dropped', reason: 'an assistant message holds text only' };
  return { field, action: 'rewritten', reason: 'a picture of the assistant is shown by the user here' };
}
