import { cerebrasTools, groqTools, mistralTools } from '../codecs/schemas/strict.ts';
import type { ToolSchemas } from '../codecs/schemas/tool-schema.ts';
import type { CodecId } from '../model/content.ts';
import { dropsFromHistory, namesMedia, takesPlainAnswers } from './message-quirks.ts';
import { openAiReasoning } from './openai-reasoning.ts';
import type { Deployment } from './provider.ts';
import {
  adjustWith,
  completesToolSchemas,
  developerIsSystem,
  drops,
  dropsNarrowPatterns,
  knowsFunctionsOnly,
  mistralToolCallId,
  mistralToolCallIds,
  onlyFor,
  type Quirk,
  renames,
  textAsString,
} from './quirks.ts';
import { tellsSchemaInWords } from './schema-in-words.ts';
import { derivesToolSchemas } from './schema-quirks.ts';

interface Line {
  readonly name: string;
  /** Formats it speaks beside Chat Completions. */
  readonly alsoSpeaks?: readonly CodecId[];
  readonly runsServerTools?: true;
  readonly webSearch?: Deployment['wire']['webSearch'];
  /** Absent = the config must say. */
  readonly url?: string;
  readonly key?: readonly string[];
  readonly keyless?: boolean;
  readonly limit: 'max_tokens' | 'max_completion_tokens';
  readonly quirks: readonly Quirk[];
  /** How it takes the schemas of tools; absent = as OpenAI does. */
  readonly toolSchemas?: ToolSchemas;
  readonly streamOptions?: false;
  readonly toolCallId?: (id: string) => string;
  readonly modelsPath?: string;
  /** Under which name earlier thinking must go back (DeepSeek, thinking mode: tool calls). */
  readonly reasoningField?: 'reasoning_content' | 'reasoning';
  /** Absent = no limit is known. */
  readonly mostTools?: number;
  /** How it takes documents; absent = as OpenAI does. */
  readonly files?: Deployment['wire']['files'];
  readonly sound?: false;
  /** How tools may look beside functions: as OpenAI has them; absent = no tools but functions are known. */
  readonly tools?: 'all';
}

function deployment(line: Line): Deployment {
  const {
    name,
    alsoSpeaks = [],
    runsServerTools,
    webSearch,
    url,
    key = [],
    keyless,
    limit,
    quirks,
    toolSchemas,
    streamOptions,
    toolCallId,
    reasoningField,
    modelsPath,
    mostTools,
    files,
    sound,
    tools,
  } = line;
  const all = [
    ...quirks,
    ...(tools === 'all' ? [] : [knowsFunctionsOnly]),
    ...(streamOptions === false ? [noStreamOptions] : []),
    ...(toolSchemas ? [derivesToolSchemas(toolSchemas)] : []),
  ];
  return {
    name,
    speaks: ['openai-chat', ...alsoSpeaks],
    sdk: 'openai',
    ...(runsServerTools && { runsServerTools }),
    ...(url !== undefined && { baseUrl: url }),
    keyVariables: key,
    ...(keyless && { keyless }),
    wire: {
      maxTokensField: limit,
      ...(webSearch && { webSearch }),
      ...(toolCallId && { toolCallId }),
      ...(reasoningField && { reasoningField }),
      ...(files && { files }),
      ...(sound === false && { sound }),
      ...(tools !== 'all' && { functionsOnly: true }),
      ...(toolSchemas && { toolSchemas }),
    },
    adjust: adjustWith(all),
    mayAdjust: (source, model) => all.some((quirk) => quirk.concerns(source, model)),
    ...(streamOptions === false && { streamOptions }),
    ...(modelsPath !== undefined && { modelsPath }),
    ...(mostTools !== undefined && { mostTools }),
  };
}

const noStreamOptions = drops('stream_options is refused here', 'stream_options');

/** Fields of OpenAI's own that servers which validate their input refuse. */
const openAiOnly = drops(
  'known to OpenAI only',
  'store',
  'verbosity',
  'web_search_options',
  'prediction',
  'modalities',
  'audio',
  'safety_identifier',
  'prompt_cache_retention',
  'prompt_cache_options',
  'moderation',
);

/** Thinking and pictures in the fields of other providers, in messages of the history. */
const noThinking = (...fields: readonly string[]): Quirk =>
  dropsFromHistory(
    'a field of another provider, refused here',
    'reasoning_content',
    'reasoning_details',
    'extra_content',
    'images',
    ...fields,
  );

/** A custom provider that is based on OpenAI may run anything. */
const isOpenAis = (model: string): boolean => /^(gpt-|chatgpt-|o\d|codex-)/.test(model);

const oldLimit = renames('max_completion_tokens', 'max_tokens');
const newLimit = renames('max_tokens', 'max_completion_tokens');
const strict: readonly Quirk[] = [openAiOnly, completesToolSchemas, textAsString('tool')];
const strictWithOldLimit: readonly Quirk[] = [...strict, oldLimit, developerIsSystem];
const stringsOnly = textAsString('system', 'user', 'assistant', 'tool');

// Measured in recorded traffic of each (requests that were accepted, errors that were not) or stated in its API
// reference; what is not known to be refused is sent.
const LINES: readonly Line[] = [
  {
    name: 'openai',
    tools: 'all',
    alsoSpeaks: ['openai-responses'],
    mostTools: 128,
    runsServerTools: true,
    webSearch: 'tool',
    url: 'https://api.openai.com/v1',
    key: ['OPENAI_API_KEY', 'OPENAI_KEY'],
    limit: 'max_completion_tokens',
    quirks: [...openAiReasoning, completesToolSchemas, onlyFor(isOpenAis, noThinking('reasoning', 'executed_tools'))],
  },
  {
    name: 'groq',
    mostTools: 128,
    files: 'none',
    sound: false,
    url: 'https://api.groq.com/openai/v1',
    key: ['GROQ_API_KEY'],
    limit: 'max_completion_tokens',
    toolSchemas: groqTools,
    // Groq, OpenAI compatibility: these give a 400
    quirks: [
      ...strict,
      newLimit,
      developerIsSystem,
      drops('refused by Groq', 'logprobs', 'top_logprobs', 'logit_bias', 'prompt_cache_key'),
      noThinking('executed_tools'),
      takesPlainAnswers,
    ],
  },
  {
    name: 'mistral',
    files: 'document_url',
    url: 'https://api.mistral.ai/v1',
    key: ['MISTRAL_API_KEY', 'MISTRAL_KEY'],
    limit: 'max_tokens',
    toolSchemas: mistralTools,
    // Mistral answers 422 extra_forbidden to any field it does not know
    quirks: [
      ...strictWithOldLimit,
      renames('seed', 'random_seed'),
      drops('refused by Mistral', 'logprobs', 'top_logprobs', 'logit_bias', 'user', 'service_tier'),
      mistralToolCallIds,
      noThinking('reasoning'),
      takesPlainAnswers,
    ],
    streamOptions: false,
    toolCallId: mistralToolCallId,
  },
  {
    name: 'ollama',
    files: 'none',
    sound: false,
    url: 'http://localhost:11434/v1',
    keyless: true,
    limit: 'max_tokens',
    quirks: [oldLimit, developerIsSystem, textAsString('tool')],
  },
  {
    name: 'openrouter',
    tools: 'all',
    webSearch: 'plugin',
    url: 'https://openrouter.ai/api/v1',
    key: ['OPENROUTER_API_KEY'],
    limit: 'max_tokens',
    quirks: [],
  },
  {
    name: 'deepseek',
    mostTools: 128,
    url: 'https://api.deepseek.com/v1',
    key: ['DEEPSEEK_API_KEY'],
    limit: 'max_tokens',
    quirks: [...strictWithOldLimit, namesMedia, stringsOnly, dropsNarrowPatterns, tellsSchemaInWords],
    reasoningField: 'reasoning_content',
  },
  {
    name: 'xai',
    mostTools: 200,
    url: 'https://api.x.ai/v1',
    key: ['XAI_API_KEY'],
    limit: 'max_completion_tokens',
    quirks: strict,
  },
  {
    name: 'cerebras',
    files: 'none',
    sound: false,
    url: 'https://api.cerebras.ai/v1',
    key: ['CEREBRAS_API_KEY'],
    limit: 'max_completion_tokens',
    toolSchemas: cerebrasTools,
    quirks: [
      ...strict,
      newLimit,
      developerIsSystem,
      drops('refused by Cerebras', 'presence_penalty', 'frequency_penalty', 'logit_bias', 'service_tier'),
      noThinking(),
      takesPlainAnswers,
    ],
  },
  {
    name: 'fireworks',
    url: 'https://api.fireworks.ai/inference/v1',
    key: ['FIREWORKS_API_KEY'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  {
    name: 'perplexity',
    webSearch: 'options',
    url: 'https://api.perplexity.ai',
    key: ['PERPLEXITY_API_KEY'],
    limit: 'max_tokens',
    // web_search_options is Perplexity's own as well
    quirks: [
      oldLimit,
      developerIsSystem,
      drops('refused by Perplexity', 'store', 'logit_bias', 'logprobs', 'top_logprobs'),
    ],
    streamOptions: false,
  },
  {
    name: 'nebius',
    url: 'https://api.tokenfactory.nebius.com/v1',
    key: ['NEBIUS_API_KEY'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  {
    name: 'parasail',
    url: 'https://api.parasail.io/v1',
    key: ['PARASAIL_API_KEY'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  {
    name: 'together',
    url: 'https://api.together.xyz/v1',
    key: ['TOGETHER_API_KEY'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  {
    name: 'huggingface',
    url: 'https://router.huggingface.co/v1',
    key: ['HF_TOKEN', 'HUGGINGFACE_API_KEY'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  {
    name: 'cohere',
    // The API that imitates OpenAI's; embeddings and reranking have Cohere's own
    url: 'https://api.cohere.ai/compatibility/v1',
    key: ['COHERE_API_KEY', 'CO_API_KEY'],
    limit: 'max_tokens',
    // Cohere, Compatibility API: unsupported parameters
    quirks: [
      ...strictWithOldLimit,
      drops(
        'refused by Cohere',
        'metadata',
        'logit_bias',
        'top_logprobs',
        'n',
        'service_tier',
        'parallel_tool_calls',
        'user',
      ),
    ],
    modelsPath: '/../../v1/models?page_size=1000',
  },
  {
    name: 'databricks',
    key: ['DATABRICKS_TOKEN'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  {
    name: 'opencode-zen',
    url: 'https://opencode.ai/zen/v1',
    key: ['OPENCODE_API_KEY'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  { name: 'opencode-go', url: 'https://opencode.ai/zen/go/v1', limit: 'max_tokens', quirks: strictWithOldLimit },
  {
    name: 'sarvam',
    url: 'https://api.sarvam.ai/v1',
    key: ['SARVAM_API_KEY'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  {
    name: 'wafer',
    url: 'https://pass.wafer.ai/v1',
    key: ['WAFER_API_KEY'],
    limit: 'max_tokens',
    quirks: strictWithOldLimit,
  },
  {
    name: 'vllm',
    files: 'none',
    keyless: true,
    limit: 'max_tokens',
    quirks: [oldLimit, developerIsSystem, textAsString('tool')],
  },
  {
    name: 'sgl',
    files: 'none',
    keyless: true,
    limit: 'max_tokens',
    quirks: [oldLimit, developerIsSystem, textAsString('tool')],
  },
];

/** Every provider that speaks OpenAI's chat completions: a line each. */
export const openAiCompatible: readonly Deployment[] = LINES.map(deployment);
