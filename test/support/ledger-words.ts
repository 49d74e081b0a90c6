// The words of all wire formats for the same ideas: what the walk of the ledger takes for a rename, not for a loss.

export type Step = string | number;

/** Members that say of which kind an object is; the formats' own words for the same kinds are no losses. */
export const DISCRIMINATORS: ReadonlySet<string> = new Set(['type', 'role']);

/** Lists whose items are blocks: what may be dropped or invented whole. */
const CONTAINERS: ReadonlySet<string> = new Set([
  'messages',
  'contents',
  'input',
  'system',
  'systemInstruction',
  'instructions',
  'parts',
  'content',
  'output',
  'tools',
  'functions',
  'functionDeclarations',
  'tool_calls',
]);

export const isContainer = (step: Step | undefined): boolean => CONTAINERS.has(String(step));

/** Steps of paths that mean the same place; those that mean none of their own are left out. */
const SAME_PLACE: Readonly<Record<string, string>> = {
  contents: 'messages',
  input: 'messages',
  system: 'messages',
  systemInstruction: 'messages',
  instructions: 'messages',
  functions: 'tools',
  functionDeclarations: 'tools',
  parts: '',
  content: '',
  output: '',
};

const IDEAS: Readonly<Record<string, readonly string[]>> = {
  text: ['text', 'content', 'instructions', 'refusal', 'output', 'error', 'result', 'input', 'system', 'input_text'],
  callId: ['id', 'tool_use_id', 'tool_call_id', 'call_id', 'toolUseId', 'tool_calls'],
  limit: ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'maxOutputTokens', 'maxTokens'],
  topP: ['top_p'],
  topK: ['top_k'],
  seed: ['random_seed'],
  stop: ['stop', 'stop_sequences', 'stopSequences'],
  presencePenalty: ['presence_penalty'],
  frequencyPenalty: ['frequency_penalty'],
  data: [
    'data',
    'file_data',
    'url',
    'image_url',
    'fileUri',
    'file_uri',
    'file_url',
    'file_id',
    'bytes',
    'file',
    'source',
  ],
  mediaType: ['media_type', 'mimeType', 'mime_type'],
  filename: ['filename', 'title', 'displayName', 'document'],
  user: ['user', 'user_id', 'metadata'],
  isError: ['is_error'],
  signature: ['thoughtSignature', 'thought_signature'],
  choice: ['tool_choice', 'toolChoice', 'toolConfig', 'functionCallingConfig', 'allowedFunctionNames', 'mode'],
  parallel: ['parallel_tool_calls', 'disable_parallel_tool_use'],
  name: ['tool_name', 'namespace'],
  effort: [
    'thinking',
    'reasoning_content',
    'summary',
    'adaptive',
    'reasoning',
    'reasoning_effort',
    'effort',
    'budget_tokens',
    'thinkingBudget',
    'thinkingLevel',
    'thinkingConfig',
    'reasoning_max_tokens',
    'additionalModelRequestFields',
  ],
  cacheMark: ['cache_control', 'cachePoint'],
  format: [
    'textFormat',
    'outputConfig',
    'response_format',
    'output_format',
    'text_format',
    'json_schema',
    'responseSchema',
    'responseJsonSchema',
    'responseMimeType',
  ],
  parameters: ['input_schema', 'parametersJsonSchema', 'parameters_json_schema', 'inputSchema'],
  propertyOrdering: ['property_ordering'],
};

/** Google takes every field in two spellings. */
function plain(word: string): string {
  return word.replaceAll('_', '').toLowerCase();
}

const IDEA_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(IDEAS).flatMap(([idea, words]) => words.map((word) => [plain(word), idea] as const)),
);

export const ideaOf = (word: Step): string => IDEA_OF.get(plain(String(word))) ?? plain(String(word));

/** A path without places, in the words that all formats share: `contents.3.parts.1` is `messages`. */
export const stepsOf = (path: readonly Step[]): string[] =>
  path
    .filter((step) => !/^(\d+|\*|)$/.test(String(step)))
    .filter((step, index, steps) => !(step === 'toolConfig' && steps[index + 1] === 'tools'))
    .map((step) => SAME_PLACE[step] ?? String(step))
    .filter((step) => step !== '');

const SCHEMAS: ReadonlySet<string> = new Set([
  ...['parameters', 'input_schema', 'parametersJsonSchema', 'inputSchema'],
  ...['parameters_json_schema', 'schema', 'responseJsonSchema', 'responseSchema', 'response_schema'],
]);
const ARGUMENTS: ReadonlySet<string> = new Set(['arguments', 'args']);

/** Bedrock's schema of an answer is a text. */
export const isJsonText = (path: readonly Step[]): boolean =>
  ARGUMENTS.has(String(path.at(-1))) || (path.at(-1) === 'schema' && path.at(-2) === 'jsonSchema');

export const namesIn = (path: readonly Step[]): string[] => path.filter((step) => typeof step === 'string');

export const isInsideSchema = (path: readonly Step[]): boolean => namesIn(path).some((name) => SCHEMAS.has(name));

/** Whether a value is one of a call's arguments. */
export function isArgument(path: readonly Step[]): boolean {
  const names = namesIn(path);
  const call = names.findIndex((name) => ARGUMENTS.has(name));
  // Anthropic's and Bedrock's `input` of a call; in Responses the word is the conversation, at the top
  const at = call >= 0 ? call : names.lastIndexOf('input') || -1;
  return at >= 0 && at < names.length - 1;
}

/** Of what chooses among tools; Bedrock keeps the tools themselves beside it. */
export const isChoice = (path: readonly Step[]): boolean =>
  path[1] !== 'tools' && namesIn(path).some((name) => ideaOf(name) === 'choice');

/** Of a function's result, where Google takes any object. */
export const isResultMember = (path: readonly Step[]): boolean => namesIn(path).includes('response');

const CHOICES: Readonly<Record<string, string>> = { any: 'required', validated: 'auto' };
/** Formats that stand for a media type. */
const FORMATS: Readonly<Record<string, string>> = {
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  png: 'image/png',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  txt: 'text/plain',
  mp4: 'video/mp4',
};

export const choiceOf = (word: string): string => CHOICES[word] ?? word;
export const mediaTypeOf = (word: string): string => FORMATS[word] ?? (word === 'image/jpg' ? 'image/jpeg' : word);

/** What codecs wrap around a text that changes its speaker; the entry for the role tells of it. */
export const WRAPPERS: readonly string[] = ['<system-reminder>', '</system-reminder>'];
