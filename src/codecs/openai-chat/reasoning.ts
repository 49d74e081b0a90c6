import type { Origin, ReasoningPart } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/**
 * Thinking has no place in OpenAI's own format; providers that show it use `reasoning_content` (DeepSeek, Z.AI, xAI),
 * `reasoning` (Groq, Cerebras, Ollama, vLLM) or `reasoning` with `reasoning_details` (OpenRouter). A reasoning part's
 * origin holds these fields as the message had them; Ollama's own name, `thinking`, is only read.
 */
export const REASONING_FIELDS = ['reasoning_content', 'reasoning', 'reasoning_details'] as const;

/** OpenRouter's name for details that hold Claude's signed thinking. */
const CLAUDE_FORMAT = 'anthropic-claude-v1';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const NO_DETAILS: readonly JsonObject[] = [];

export const detailsOf = (from: JsonObject): readonly JsonObject[] =>
  Array.isArray(from.reasoning_details) ? from.reasoning_details.filter(isObject) : NO_DETAILS;

/** The text of a message's or a delta's reasoning fields, whichever of them speaks. */
export const reasoningText = (from: JsonObject): string =>
  text(from.reasoning_content) || text(from.reasoning) || text(from.thinking) || textOfDetails(detailsOf(from));

const textOfDetails = (details: readonly JsonObject[]): string =>
  details.length === 0 ? '' : details.map((detail) => text(detail.text) || text(detail.summary)).join('');

/** Takes a delta's details into `whole`: fragments of one index grow together, whatever else stands beside them. */
export function mergeDetails(whole: JsonObject[], delta: readonly JsonObject[]): void {
  for (const detail of delta) {
    const { index } = detail;
    const known = whole.find((other) => index !== undefined && other.index === index && other.type === detail.type);
    if (!known) {
      whole.push({ ...detail });
      continue;
    }
    for (const [key, value] of Object.entries(detail)) known[key] = grown(key, known[key], value);
  }
}

const GROWING: ReadonlySet<string> = new Set(['text', 'summary', 'data']);

const grown = (key: string, before: JsonValue | undefined, more: JsonValue | undefined): JsonValue | undefined =>
  GROWING.has(key) && typeof before === 'string' && typeof more === 'string' ? before + more : (more ?? before);

/** The reasoning parts of an assistant message that a client sends back. */
export function reasoningParts(message: JsonObject): ReasoningPart[] {
  const details = detailsOf(message);
  const signed = details.filter((detail) => detail.format === CLAUDE_FORMAT).map(claudePart);
  if (signed.length > 0 && signed.length === details.length && signed.every((part) => part !== undefined))
    return signed;
  const block: JsonObject = {};
  for (const field of REASONING_FIELDS) {
    const value = message[field];
    if (value !== undefined && value !== null) block[field] = value;
  }
  if (Object.keys(block).length === 0) return [];
  return [{ type: 'reasoning', text: reasoningText(message), origin: { codec: 'openai-chat', block } }];
}

/** Claude takes its thinking back only as it wrote it, signature and all: the part becomes Anthropic's block again. */
function claudePart(detail: JsonObject): ReasoningPart | undefined {
  if (detail.type === 'reasoning.encrypted' && typeof detail.data === 'string') {
    const block = { type: 'redacted_thinking', data: detail.data };
    return { type: 'reasoning', text: '', origin: { codec: 'anthropic-messages', block } };
  }
  const { text: thinking, signature } = detail;
  if (typeof thinking !== 'string' || typeof signature !== 'string') return undefined;
  const block = { type: 'thinking', thinking, signature };
  return { type: 'reasoning', text: thinking, origin: { codec: 'anthropic-messages', block } };
}

/** What a finished reasoning part adds to its text: `reasoning_details` that the client can send back. */
export function wireDetails(origin: Origin | undefined, index: number): readonly JsonObject[] {
  if (!origin) return [];
  const { block } = origin;
  if (origin.codec === 'openai-chat') return detailsOf(block);
  if (block.type === 'redacted_thinking') {
    return [{ type: 'reasoning.encrypted', data: block.data, format: CLAUDE_FORMAT, index }];
  }
  const { thinking, signature } = block;
  if (typeof signature !== 'string' || signature === '') return [];
  return [{ type: 'reasoning.text', text: thinking, signature, format: CLAUDE_FORMAT, index }];
}
