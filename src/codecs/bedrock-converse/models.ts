/** What the name of a model tells of how it is asked over this API. */
export interface ModelTraits {
  readonly isClaude: boolean;
  readonly isNova: boolean;
  /** Nova from its second generation on reasons when asked (Amazon Nova user guide, extended thinking). */
  readonly novaReasons: boolean;
  /** Takes `reasoning_effort` (OpenAI's open weights on Bedrock). */
  readonly takesEffort: boolean;
  /** Takes cache points in messages and system; only Claude takes them among tools (Bedrock user guide, prompt caching). */
  readonly caches: boolean;
  /** Which choices of tools it takes (Bedrock API, ToolChoice); what others say of a name that tells nothing is passed on. */
  readonly choices: 'all' | 'any' | 'none';
}

/** Names may come with a region, a vendor or a whole ARN in front. */
export function traitsOf(model: string): ModelTraits {
  const name = model.toLowerCase();
  const isClaude = /claude|anthropic/.test(name);
  const isNova = /nova/.test(name);
  return {
    isClaude,
    isNova,
    novaReasons: /nova-(?:[2-9]|premier-v[2-9])/.test(name),
    takesEffort: name.includes('gpt-oss'),
    choices: choicesOf(name),
    caches: isNova || (isClaude && !/claude-(?:v2|instant|3-(?:opus|sonnet|haiku))/.test(name)),
  };
}

/** "This model doesn't support the toolConfig.toolChoice.any field": Llama and Cohere's models know none of them. */
function choicesOf(name: string): ModelTraits['choices'] {
  if (/llama|cohere|command-r/.test(name)) return 'none';
  return /mistral|mixtral|pixtral/.test(name) ? 'any' : 'all';
}
