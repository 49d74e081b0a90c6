/** What is known of a model that changes how a request for it must be written. Unknown models have no traits. */
export interface ModelTraits {
  readonly maxOutputTokens?: number;
  /** True when it takes reasoning parameters, false when it refuses them. */
  readonly reasoning?: boolean;
}

type Row = readonly [name: RegExp, traits: ModelTraits];

const fixed = (maxOutputTokens: number): ModelTraits => ({ maxOutputTokens, reasoning: false });
const thinks = (maxOutputTokens?: number): ModelTraits => ({
  reasoning: true,
  ...(maxOutputTokens !== undefined && { maxOutputTokens }),
});

// The first match counts. Limits: the vendors' model pages. A limit that is too low cuts answers, so models of which
// only the family is known have none.
const ROWS: readonly Row[] = [
  [/^gpt-4o-2024-05-13/, fixed(4_096)],
  [/^(chatgpt-4o|gpt-4o)/, fixed(16_384)],
  [/^gpt-4\.1/, fixed(32_768)],
  [/^gpt-4\.5/, fixed(16_384)],
  [/^gpt-4-(turbo|1106|0125|vision)/, fixed(4_096)],
  [/^gpt-4(-\d{4})?$/, fixed(8_192)],
  [/^gpt-3\.5/, fixed(4_096)],
  [/^o1-mini/, thinks(65_536)],
  [/^o1-preview/, thinks(32_768)],
  [/^o[134](-|$)/, thinks(100_000)],
  [/^gpt-5[\d.]*-chat/, fixed(16_384)],
  [/^gpt-5/, thinks(128_000)],
  [/^gpt-oss/, thinks()],

  [/^claude-3-5-/, fixed(8_192)],
  [/^claude-3-7-/, thinks(64_000)],
  [/^claude-3-(opus|sonnet|haiku)/, fixed(4_096)],
  [/^claude-opus-4(-[01])?(-20\d{6}|@|$)/, thinks(32_000)],
  [/^claude-(sonnet|haiku|opus)-4(-5)?(-20\d{6}|@|$)/, thinks(64_000)],
  [/^claude-(\d|opus|sonnet|haiku)/, thinks()],

  [/^gemini-2\.0/, fixed(8_192)],
  [/^gemini-1\.5/, fixed(8_192)],
  [/^gemini-(2\.5|[3-9])/, thinks(65_536)],

  [/^deepseek-chat/, { maxOutputTokens: 8_192 }],
  [/^deepseek-reasoner/, { maxOutputTokens: 65_536 }],
];

/** Routers and hosts put a vendor before the name: `anthropic/claude-sonnet-4`. */
const bareName = (model: string): string => model.slice(model.lastIndexOf('/') + 1).toLowerCase();

const NO_TRAITS: ModelTraits = {};

export function modelTraits(model: string): ModelTraits {
  const name = bareName(model);
  return ROWS.find(([pattern]) => pattern.test(name))?.[1] ?? NO_TRAITS;
}
