import type { CodecId, Message, Part } from '../model/content.ts';
import type { Loss } from '../model/loss.ts';

/**
 * The conversation with pictures and files of system messages as the user's, right behind those: only the Responses API
 * takes such from a developer. The very same list where there is nothing to move.
 */
export function systemMediaToldByUser(
  messages: readonly Message[],
  codec: CodecId,
  losses: Loss[],
): readonly Message[] {
  const isMoved = (part: Part): boolean => part.type === 'media' && part.origin?.codec !== codec;
  if (!messages.some(({ role, parts }) => role === 'system' && parts.some(isMoved))) return messages;
  const written: Message[] = [];
  let held: Part[] = [];
  const show = (): void => {
    if (held.length > 0) written.push({ role: 'user', parts: held });
    held = [];
  };
  messages.forEach((message, index) => {
    if (message.role !== 'system') {
      show();
      written.push(message);
      return;
    }
    const moved = message.parts.filter(isMoved);
    for (const _ of moved) losses.push({ field: `messages.${index}`, action: 'rewritten', reason: TEXTS_ONLY });
    held.push(...moved);
    const texts = message.parts.filter((part) => !isMoved(part));
    if (texts.length > 0) written.push({ ...message, parts: texts });
  });
  show();
  return written;
}

const TEXTS_ONLY = 'system messages hold text only; the user shows what else was in one';
