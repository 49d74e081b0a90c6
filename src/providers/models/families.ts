import type { ReasoningEffort } from '../../model/request.ts';
import type { ModelTraits, ThinkingForms } from '../../model/traits.ts';
import { bareName } from './names.ts';

type Row = readonly [name: RegExp, ...traits: readonly ModelTraits[]];

const size = (contextWindow: number, maxOutputTokens?: number): ModelTraits => ({
  contextWindow,
  ...(maxOutputTokens !== undefined && { maxOutputTokens }),
});

const SEES: ModelTraits = { tools: true, vision: true, structuredOutput: true };
const TEXT_ONLY: ModelTraits = { ...SEES, vision: false };
const TALKS: ModelTraits = { reasoning: false };
const REASONS: ModelTraits = { reasoning: true };

/** OpenAI, model pages (endpoints) and the guide to migrating to Responses. */
const RESPONSES_ONLY: ModelTraits = { responsesApi: 'only' };
const KEPT_IN_RESPONSES: ModelTraits = { responsesApi: 'better' };
/** "Function tools with reasoning_effort are not supported for gpt-5.4 in /v1/chat/completions" (the API's refusal). */
const TOOLS_IN_RESPONSES: ModelTraits = { responsesApi: 'for-tools' };

const efforts = (...words: readonly ReasoningEffort[]): ModelTraits => ({ reasoning: true, efforts: words });

/** OpenAI, reasoning guide and model pages; the lists that its errors enumerate. */
/** "Unsupported parameter: 'stop' is not supported with this model" (the API's refusal). */
const O_SERIES: ModelTraits = {
  ...efforts('low', 'medium', 'high'),
  defaultEffort: 'medium',
  sampling: 'never',
  stop: false,
};
const GPT_5: ModelTraits = {
  ...efforts('minimal', 'low', 'medium', 'high'),
  defaultEffort: 'medium',
  sampling: 'never',
  stop: false,
  ...KEPT_IN_RESPONSES,
};
const MAY_REASON: ModelTraits = { reasoning: true, sampling: 'unless-reasoning', ...KEPT_IN_RESPONSES };
const ALWAYS_REASONS: ModelTraits = {
  reasoning: true,
  sampling: 'never',
  defaultEffort: 'medium',
  ...KEPT_IN_RESPONSES,
};

const forms = (budget: boolean, adaptive: boolean, canStop = true): { readonly thinking: ThinkingForms } => ({
  thinking: { budget, adaptive, canStop },
});

/** Anthropic, extended and adaptive thinking, effort, and the migration guides between models. */
const OLD_CLAUDE: ModelTraits = { ...SEES, structuredOutput: false, reasoning: false };
const BUDGET: ModelTraits = { ...SEES, ...REASONS, ...forms(true, false), efforts: [], sampling: 'one-of' };
const BOTH: ModelTraits = {
  ...SEES,
  ...efforts('low', 'medium', 'high', 'max'),
  ...forms(true, true),
  sampling: 'one-of',
};
const ADAPTIVE: ModelTraits = {
  ...SEES,
  ...efforts('low', 'medium', 'high', 'xhigh', 'max'),
  ...forms(false, true),
  sampling: 'never',
};
const NO_SCHEMA: ModelTraits = { structuredOutput: false };

// The first match counts. Limits: the vendors' model pages. A limit that is too low cuts answers, so models of which
// only the family is known have none.
const ROWS: readonly Row[] = [
  [/^gpt-4o-2024-05-13/, size(128_000, 4_096), SEES, TALKS, NO_SCHEMA],
  [/^(chatgpt-4o|gpt-4o)/, size(128_000, 16_384), SEES, TALKS],
  [/^gpt-4\.1/, size(1_047_576, 32_768), SEES, TALKS],
  [/^gpt-4\.5/, size(128_000, 16_384), SEES, TALKS],
  [/^gpt-4-(turbo|1106|0125|vision)/, size(128_000, 4_096), SEES, TALKS, NO_SCHEMA],
  [/^gpt-4(-\d{4})?$/, size(8_192, 8_192), TEXT_ONLY, TALKS, NO_SCHEMA],
  [/^gpt-3\.5/, size(16_385, 4_096), TEXT_ONLY, TALKS, NO_SCHEMA],
  [/^o1-mini/, size(128_000, 65_536), O_SERIES, { efforts: [], tools: false, vision: false, structuredOutput: false }],
  [
    /^o1-preview/,
    size(128_000, 32_768),
    O_SERIES,
    { efforts: [], tools: false, vision: false, structuredOutput: false },
  ],
  [/^o3-mini/, size(200_000, 100_000), TEXT_ONLY, O_SERIES, KEPT_IN_RESPONSES],
  [/^o[134][a-z-]*-(pro|deep-research)/, size(200_000, 100_000), SEES, O_SERIES, RESPONSES_ONLY],
  [/^o[134](-|$)/, size(200_000, 100_000), SEES, O_SERIES, KEPT_IN_RESPONSES],
  [/^computer-use-preview/, size(8_192, 1_024), SEES, REASONS, RESPONSES_ONLY],
  [/^codex-mini/, size(200_000, 100_000), SEES, O_SERIES, RESPONSES_ONLY],
  [/^gpt-5[\d.]*-chat/, size(128_000, 16_384), SEES, TALKS],
  [/^gpt-5-pro/, size(400_000, 272_000), SEES, GPT_5, efforts('high'), { defaultEffort: 'high' }, RESPONSES_ONLY],
  [/^gpt-5-codex/, size(400_000, 128_000), SEES, GPT_5, efforts('low', 'medium', 'high'), RESPONSES_ONLY],
  [/^gpt-5(-mini|-nano)?(-20\d\d|$)/, size(400_000, 128_000), SEES, GPT_5],
  [
    /^gpt-5\.1-codex-max/,
    size(400_000, 128_000),
    SEES,
    ALWAYS_REASONS,
    efforts('low', 'medium', 'high', 'xhigh'),
    RESPONSES_ONLY,
  ],
  [/^gpt-5\.1-codex/, size(400_000, 128_000), SEES, ALWAYS_REASONS, efforts('low', 'medium', 'high'), RESPONSES_ONLY],
  [
    /^gpt-5\.1/,
    size(400_000, 128_000),
    SEES,
    MAY_REASON,
    efforts('none', 'low', 'medium', 'high'),
    { defaultEffort: 'none' },
  ],
  [/^gpt-5\.\d-pro/, size(400_000, 128_000), SEES, ALWAYS_REASONS, efforts('medium', 'high', 'xhigh'), RESPONSES_ONLY],
  [
    /^gpt-5\.\d-codex/,
    size(400_000, 128_000),
    SEES,
    ALWAYS_REASONS,
    efforts('low', 'medium', 'high', 'xhigh'),
    RESPONSES_ONLY,
  ],
  [
    /^gpt-5\.4/,
    size(400_000, 128_000),
    SEES,
    MAY_REASON,
    efforts('none', 'low', 'medium', 'high', 'xhigh'),
    { defaultEffort: 'none' },
    TOOLS_IN_RESPONSES,
  ],
  [
    /^gpt-5\.[23]/,
    size(400_000, 128_000),
    SEES,
    MAY_REASON,
    efforts('none', 'low', 'medium', 'high', 'xhigh'),
    { defaultEffort: 'none' },
  ],
  [
    /^gpt-5\.5/,
    size(1_000_000, 128_000),
    SEES,
    MAY_REASON,
    efforts('none', 'low', 'medium', 'high', 'xhigh'),
    { defaultEffort: 'medium' },
    TOOLS_IN_RESPONSES,
  ],
  [
    /^gpt-5\.\d/,
    size(1_050_000, 128_000),
    SEES,
    MAY_REASON,
    efforts('none', 'low', 'medium', 'high', 'xhigh'),
    { defaultEffort: 'medium' },
    TOOLS_IN_RESPONSES,
  ],
  [/^gpt-5/, { maxOutputTokens: 128_000 }, SEES, REASONS, { sampling: 'unless-reasoning' }, KEPT_IN_RESPONSES],
  [/^gpt-6-astra/, size(1_050_000, 128_000), SEES, ALWAYS_REASONS, efforts('low', 'medium', 'high', 'xhigh')],
  [
    /^gpt-6/,
    size(1_050_000, 128_000),
    SEES,
    MAY_REASON,
    efforts('none', 'low', 'medium', 'high', 'xhigh'),
    { defaultEffort: 'medium' },
    TOOLS_IN_RESPONSES,
  ],
  [/^gpt-oss/, size(131_072), TEXT_ONLY, efforts('low', 'medium', 'high'), { defaultEffort: 'medium' }],

  [/^claude-3-5-/, size(200_000, 8_192), OLD_CLAUDE],
  [/^claude-3-7-/, size(200_000, 64_000), BUDGET, NO_SCHEMA],
  [/^claude-3-(opus|sonnet|haiku)/, size(200_000, 4_096), OLD_CLAUDE],
  [/^claude-(opus-4|4-opus)(-[01])?(-20\d{6}|-latest|$)/, size(200_000, 32_000), BUDGET, NO_SCHEMA],
  [/^claude-(sonnet-4|4-sonnet)(-0)?(-20\d{6}|-latest|$)/, size(200_000, 64_000), BUDGET, NO_SCHEMA],
  [/^claude-opus-4-5(-|$)/, size(200_000, 64_000), BUDGET, { efforts: ['low', 'medium', 'high'] }],
  [/^claude-(sonnet|haiku)-4-5(-|$)/, size(200_000, 64_000), BUDGET],
  [/^claude-opus-4-6(-|$)/, size(1_000_000, 128_000), BOTH],
  [/^claude-sonnet-4-6(-|$)/, size(1_000_000, 64_000), BOTH],
  [/^claude-opus-4-[78](-|$)/, size(1_000_000, 128_000), ADAPTIVE],
  [/^claude-(fable|mythos)/, size(1_000_000, 128_000), ADAPTIVE, forms(false, true, false)],
  [/^claude-(opus|sonnet)-5(-5)?(-20\d{6}|$)/, size(1_000_000, 128_000), ADAPTIVE],
  // newer than all that is known: as the newest
  [/^claude-(opus|sonnet|haiku)-([5-9]|4-[6-9])/, ADAPTIVE],
  [/^claude-(\d|opus|sonnet|haiku)/, SEES, REASONS],

  [/^gemini-1\.5-pro/, size(2_097_152, 8_192), SEES, TALKS],
  [/^gemini-1\.5/, size(1_048_576, 8_192), SEES, TALKS],
  [/^gemini-2\.0/, size(1_048_576, 8_192), SEES, TALKS],
  [/^gemini-2\.5-flash-image/, size(32_768, 32_768), SEES, TALKS, { tools: false }],
  [/^gemini-2\.5-[a-z-]*tts/, size(8_192, 16_384), TALKS, { tools: false, vision: false }],
  [/^gemini-(2\.5|[3-9])/, size(1_048_576, 65_536), SEES, REASONS],

  [/^deepseek-(chat|reasoner)/, size(1_000_000), TEXT_ONLY],
  [/^deepseek-v4/, size(1_000_000), TEXT_ONLY],
  [/^grok-code-fast/, size(256_000), TEXT_ONLY],
  [/^grok-4[.-]\d*-?fast/, size(2_000_000), SEES],
  [/^grok-4/, size(256_000), SEES],
  [/^grok-3/, size(131_072), TEXT_ONLY],
  // Groq's name for it, and Groq's limit
  [/^llama-3\.3-70b-versatile/, size(131_072, 32_768), TEXT_ONLY, TALKS],
  [/^llama-3\.3-70b/, size(131_072), TEXT_ONLY, TALKS],
  // Amazon Nova user guide, what is Nova: "The maximum tokens you requested exceeds the model limit of 10000"
  [/^nova-micro(-v1|$)/, size(128_000, 10_000), { tools: true, vision: false }],
  [/^nova-(lite|pro)(-v1|$)/, size(300_000, 10_000), { tools: true, vision: true }],
  [/^nova-premier(-v1|$)/, size(1_000_000, 10_000), { tools: true, vision: true }],
  [/^sonar/, size(128_000), { tools: false }],
];

const NO_TRAITS: ModelTraits = Object.freeze({});

/** What the model's family tells of it, whoever serves it. Names that tell nothing have no traits. */
export function familyTraits(model: string): ModelTraits {
  const name = bareName(model);
  const row = ROWS.find(([pattern]) => pattern.test(name));
  if (!row) return NO_TRAITS;
  const [, ...traits] = row;
  return Object.freeze(Object.assign({}, ...traits) as ModelTraits);
}
