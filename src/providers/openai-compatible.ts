import { cerebrasTools, groqTools, mistralTools } from '../codecs/schemas/strict.ts';
import { type ChatLine, deploymentOf } from './chat-line.ts';
import { dropsFromHistory, namesMedia, takesPlainAnswers } from './message-quirks.ts';
import { openAiReasoning } from './openai-reasoning.ts';
import type { Deployment } from './provider.ts';
import {
  completesToolSchemas,
  developerIsSystem,
  drops,
  dropsNarrowPatterns,
  mistralToolCallId,
  mistralToolCallIds,
  onlyFor,
  type Quirk,
  renames,
  textAsString,
} from './quirks.ts';
import { tellsSchemaInWords } from './schema-in-words.ts';

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
const LINES: readonly ChatLine[] = [
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
export const openAiCompatible: readonly Deployment[] = LINES.map(deploymentOf);
