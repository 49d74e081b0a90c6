/** Names under which clients of other gateways and frameworks look for the same APIs (Bifrost's integrations). */
const ALIASES = ['litellm', 'langchain', 'pydanticai', 'cursor'] as const;

const ALIAS_PATH = new RegExp(`^/(?:${ALIASES.join('|')})(/.*)$`);

/** APIs that keep their own name below an alias; anything else there is OpenAI's, with or without `/v1`. */
const OWN_NAME = /^\/(?:v1|openai|anthropic|genai|bedrock|cohere)(?:\/|$)/;

/** The path that an alias stands for; undefined where the path is none. Cursor speaks nothing but OpenAI's API. */
export function pathBehind(path: string): string | undefined {
  const rest = ALIAS_PATH.exec(path)?.[1];
  if (rest === undefined) return undefined;
  return OWN_NAME.test(rest) ? rest : `/openai${rest}`;
}
