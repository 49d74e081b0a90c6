import type { JsonObject } from '../../model/json.ts';

/** Messages with words of ours in the system prompt, behind the client's own: some templates know one such message only. */
export function withSystemWords(messages: readonly JsonObject[], words: string): JsonObject[] {
  const [first, ...rest] = messages;
  const isPrompt = first?.role === 'system' || first?.role === 'developer';
  if (!isPrompt || typeof first.content !== 'string') return [{ role: 'system', content: words }, ...messages];
  return [{ ...first, content: `${first.content}\n\n${words}` }, ...rest];
}
