import type { Message, Part } from '../model/content.ts';

/** Appends what a user's turn holds: results of tools become a message of their own, ahead of what else the user says. */
export function addUserTurn(messages: Message[], parts: readonly Part[]): void {
  const results = parts.filter(isResult);
  if (results.length > 0) messages.push({ role: 'tool', parts: results });
  if (results.length === 0) messages.push({ role: 'user', parts });
  else if (results.length < parts.length)
    messages.push({ role: 'user', parts: parts.filter((part) => !isResult(part)) });
}

const isResult = ({ type }: Part): boolean => type === 'tool-result';
