import type { JsonObject } from '../../model/json.ts';
import { lookFor } from '../../model/marks.ts';
import type { HistoryRules } from '../codec.ts';
import { objectOf, objectsOf } from './wire.ts';

const mayThink = lookFor('"thinking":');
const mayHaveCalled = lookFor('"tool_use"');
const hasBudget = lookFor('"budget_tokens"');
const holdsThinking = lookFor('"signature":', '"redacted_thinking"');

/** What the API wants of thinking in a conversation's earlier turns (Anthropic Messages API, extended thinking). */
export const thinkingHistory: HistoryRules = {
  mayLack(bytes) {
    if (!mayThink(bytes) || !mayHaveCalled(bytes)) return false;
    // with a budget, every turn that is under way must begin with thinking; without one the model decides
    return !holdsThinking(hasBudget(bytes) ? bytes.subarray(lastAssistant(bytes)) : bytes);
  },
  lacks: (body) => objectOf(body.thinking).type === 'enabled' && thinkingObstacle(body) !== undefined,
};

const lastAssistant = (bytes: Buffer): number =>
  Math.max(bytes.lastIndexOf('"role":"assistant"'), bytes.lastIndexOf('"role": "assistant"'), 0);

/**
 * With a budget, the turn whose tools were just run must begin with thinking, or its last step must; another model's
 * does neither. Says why thinking is impossible now.
 */
export function thinkingObstacle(body: JsonObject): string | undefined {
  const messages = objectsOf(body.messages).filter(({ role }) => role !== 'system');
  if (!holdsResults(messages.at(-1))) return undefined;
  const asked = messages.findLastIndex((message) => message.role === 'user' && !holdsResults(message));
  const steps = messages.slice(asked + 1).filter(({ role }) => role === 'assistant');
  const [first] = steps;
  if (!first || beginsWithThinking(first) || beginsWithThinking(steps.at(-1))) return undefined;
  return 'the turn that called the tools began without thinking';
}

const holdsResults = (message: JsonObject | undefined): boolean =>
  objectsOf(message?.content).some((block) => block.type === 'tool_result');

function beginsWithThinking(message: JsonObject | undefined): boolean {
  const type = objectsOf(message?.content)[0]?.type;
  return type === 'thinking' || type === 'redacted_thinking';
}
