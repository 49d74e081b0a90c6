import type { CodecId } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import { ownValue } from '../model/json.ts';
import type { ConfiguredProviders, Provider } from '../providers/provider.ts';
import { adviceFor } from '../providers/registry.ts';
import { namesModel, servesModel, usableKeys } from './keys.ts';

/** A model at a provider, under the name that the client used for it. */
export interface Target {
  readonly provider: Provider;
  readonly model: string;
}

type ByName = ConfiguredProviders;

/** Whose models go by which names. The first match that is configured counts. */
const FAMILIES: readonly (readonly [name: RegExp, provider: string])[] = [
  [/^claude-/, 'anthropic'],
  // Google's, unlike OpenAI's `text-embedding-3-small`
  [/^text-(?:multilingual-)?embedding-\d{3}$/, 'gemini'],
  [/^(gpt-|chatgpt-|o[134](-|$)|codex-|text-embedding-|dall-e-|tts-|whisper-)/, 'openai'],
  [/^(gemini|imagen)-/, 'gemini'],
  [/^(mistral|ministral|magistral|codestral|devstral|pixtral|voxtral)-/, 'mistral'],
  [/^grok-/, 'xai'],
  [/^deepseek-/, 'deepseek'],
  [/^sonar(-|$)/, 'perplexity'],
  [/^(command|embed|rerank)-/, 'cohere'],
  [/^semantic-ranker-/, 'vertex'],
  [/^(eleven|scribe)_/, 'elevenlabs'],
  // with a vendor, a region or a whole ARN in front: Bedrock's own names
  [
    /^(?:[a-z-]{2,}\.)?(?:amazon|anthropic|meta|mistral|cohere|ai21|deepseek|openai|qwen|stability|writer)\./,
    'bedrock',
  ],
  [/^arn:aws[\w-]*:bedrock:/, 'bedrock'],
];

const PROVIDER_OF_DIALECT: Readonly<Record<CodecId, string>> = {
  'openai-chat': 'openai',
  'openai-responses': 'openai',
  'anthropic-messages': 'anthropic',
  'bedrock-converse': 'bedrock',
  gemini: 'gemini',
};

/**
 * The target that a model name stands for. `provider/model` is cut at the first slash, but only when the part before it
 * is a provider: `meta-llama/Llama-3` is a name as a whole. A bare name goes to a configured provider whose keys name
 * it, then to the one its family belongs to, and to the provider of the client's own dialect last.
 * Throws GatewayError that says what to write instead.
 */
export function resolveModel(name: string, providers: ByName, dialect: CodecId): Target {
  return explicitTarget(name, providers) ?? bareTarget(name, providers, dialect);
}

/** The target of `provider/model`; undefined when no provider stands in front. Throws when it is not configured. */
export function explicitTarget(name: string, providers: ByName): Target | undefined {
  const slash = name.indexOf('/');
  if (slash <= 0) return undefined;
  const prefix = name.slice(0, slash).toLowerCase();
  const provider = providers.get(prefix);
  if (provider) return { provider, model: name.slice(slash + 1) };
  const advice = providers.leftOut?.get(prefix) ?? adviceFor(prefix);
  if (advice) throw new GatewayError('invalid-request', advice, { param: 'model' });
  return undefined;
}

function bareTarget(model: string, providers: ByName, dialect: CodecId): Target {
  const family = FAMILIES.find(([pattern]) => pattern.test(model.toLowerCase()))?.[1];
  const provider =
    [...providers.values()].find((candidate) => usableKeys(candidate).some((key) => namesModel(key, model))) ??
    serving(providers.get(family ?? ''), model) ??
    serving(providers.get(PROVIDER_OF_DIALECT[dialect]), model) ??
    serving(providers.get(ownValue(STAND_INS, family ?? PROVIDER_OF_DIALECT[dialect]) ?? ''), model);
  if (provider) return { provider, model };
  throw new GatewayError('invalid-request', unresolved(model, family, providers), { param: 'model' });
}

/** Who has the same models where the one they belong to is not configured. */
const STAND_INS: Readonly<Record<string, string | undefined>> = { gemini: 'vertex' };

const serving = (provider: Provider | undefined, model: string): Provider | undefined =>
  provider && usableKeys(provider).some((key) => servesModel(key, model)) ? provider : undefined;

function unresolved(model: string, family: string | undefined, providers: ByName): string {
  const names = [...providers.keys()];
  if (names.length === 0) {
    return `model "${model}" cannot be served: no provider is configured; set OPENAI_API_KEY or ANTHROPIC_API_KEY, or add one under "providers" in config.json`;
  }
  const advice = family && !providers.has(family) ? `; ${adviceFor(family)}` : '';
  return `no configured provider is known to serve model "${model}": write provider/model with one of ${names.join(', ')}${advice}`;
}
