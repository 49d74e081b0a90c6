import { ownValue } from '../model/json.ts';

/** Whose models go by which names, at whatever provider they run. The first match counts. */
const MAKERS: readonly (readonly [name: RegExp, family: string])[] = [
  [/claude/, 'claude'],
  [/gemini/, 'gemini'],
  [/deepseek/, 'deepseek'],
  [/grok/, 'grok'],
  [/(mistral|ministral|magistral|codestral|devstral)/, 'mistral'],
  [/(^|[/.])(gpt-|chatgpt-|o\d(-|$)|codex)/, 'openai'],
  [/kimi/, 'kimi'],
  [/glm-/, 'glm'],
  [/qwen|qwq/, 'qwen'],
  [/minimax/, 'minimax'],
];

/** What a provider runs whose model's name tells nothing. */
const RUN_BY: Readonly<Record<string, string>> = { anthropic: 'claude', gemini: 'gemini' };

/**
 * The models that can read each other's reasoning state. Signatures of one maker hold on every platform (Anthropic,
 * extended thinking); what OpenAI's models encrypt can be read only where it was written, and so can what models of
 * unknown makers leave behind.
 */
export function familyOf(provider: string, model: string): string {
  const name = model.toLowerCase();
  const maker = MAKERS.find(([pattern]) => pattern.test(name))?.[1];
  if (maker === 'openai' || maker === 'grok') return `${maker} at ${provider}`;
  return maker ?? ownValue(RUN_BY, provider) ?? provider;
}
