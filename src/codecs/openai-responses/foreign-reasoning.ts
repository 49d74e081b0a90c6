import type { Origin, ReasoningPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { objectsOf, textOf } from './wire.ts';

/**
 * Thinking of models that speak another format travels through a client of this one in `encrypted_content`, the field
 * that every client keeps and sends back: `bf1.<kind>.<what its own model wants to see again>`.
 */
const PREFIX = 'bf1.';
const SIGNED = `${PREFIX}thinking.`;
const REDACTED = `${PREFIX}redacted.`;
const PLAIN = `${PREFIX}plain`;

/** What is found in a body's bytes when it holds such thinking. */
export const FOREIGN_REASONING_MARK = `"${PREFIX}`;

/** The `encrypted_content` that a part of another format is shown with. */
export function carriedReasoning(origin: Origin | undefined): string {
  const { codec, block = {} } = origin ?? {};
  if (codec !== 'anthropic-messages') return PLAIN;
  if (block.type === 'redacted_thinking') return REDACTED + textOf(block.data);
  const signature = textOf(block.signature);
  return signature === '' ? PLAIN : SIGNED + signature;
}

/** The part that a reasoning item of ours stands for; undefined for items that OpenAI's format made. */
export function foreignReasoning(item: JsonObject): ReasoningPart | undefined {
  const carried = textOf(item.encrypted_content);
  if (!carried.startsWith(PREFIX)) return undefined;
  const text = reasoningText(item);
  const block = anthropicBlock(carried, text);
  return { type: 'reasoning', text, ...(block && { origin: { codec: 'anthropic-messages', block } }) };
}

function anthropicBlock(carried: string, thinking: string): JsonObject | undefined {
  if (carried.startsWith(SIGNED)) return { type: 'thinking', thinking, signature: carried.slice(SIGNED.length) };
  if (carried.startsWith(REDACTED)) return { type: 'redacted_thinking', data: carried.slice(REDACTED.length) };
  return undefined;
}

/** The summary, then the thinking itself where a provider shows it (DeepSeek, LM Studio). */
export const reasoningText = (item: JsonObject): string =>
  [...objectsOf(item.summary), ...objectsOf(item.content)].map((part) => textOf(part.text)).join('');
