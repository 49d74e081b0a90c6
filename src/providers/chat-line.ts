import type { ToolSchemas } from '../codecs/schemas/tool-schema.ts';
import type { CodecId } from '../model/content.ts';
import type { Deployment } from './provider.ts';
import { adjustWith, drops, knowsFunctionsOnly, type Quirk } from './quirks.ts';
import { derivesToolSchemas } from './schema-quirks.ts';

/** What is to be known of a server that speaks OpenAI's chat completions. */
export interface ChatLine {
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

/** The deployment that a line stands for. */
export function deploymentOf(line: ChatLine): Deployment {
  const { name, alsoSpeaks = [], runsServerTools, url, key = [], keyless, streamOptions, modelsPath, mostTools } = line;
  const quirks = quirksOf(line);
  return {
    name,
    speaks: ['openai-chat', ...alsoSpeaks],
    sdk: 'openai',
    ...(runsServerTools && { runsServerTools }),
    ...(url !== undefined && { baseUrl: url }),
    keyVariables: key,
    ...(keyless && { keyless }),
    wire: wireOf(line),
    adjust: adjustWith(quirks),
    mayAdjust: (source, model) => quirks.some((quirk) => quirk.concerns(source, model)),
    ...(streamOptions === false && { streamOptions }),
    ...(modelsPath !== undefined && { modelsPath }),
    ...(mostTools !== undefined && { mostTools }),
  };
}

const quirksOf = ({ quirks, tools, streamOptions, toolSchemas }: ChatLine): readonly Quirk[] => [
  ...quirks,
  ...(tools === 'all' ? [] : [knowsFunctionsOnly]),
  ...(streamOptions === false ? [noStreamOptions] : []),
  ...(toolSchemas ? [derivesToolSchemas(toolSchemas)] : []),
];

const noStreamOptions = drops('stream_options is refused here', 'stream_options');

function wireOf(line: ChatLine): Deployment['wire'] {
  const { limit, webSearch, toolCallId, reasoningField, files, sound, tools, toolSchemas } = line;
  return {
    maxTokensField: limit,
    ...(webSearch && { webSearch }),
    ...(toolCallId && { toolCallId }),
    ...(reasoningField && { reasoningField }),
    ...(files && { files }),
    ...(sound === false && { sound }),
    ...(tools !== 'all' && { functionsOnly: true }),
    ...(toolSchemas && { toolSchemas }),
  };
}
