import { isObject, type JsonObject } from '../../src/model/json.ts';
import { frame } from './converse-upstream.ts';
import {
  firstOf,
  isSealed,
  objectOf,
  objectsOf,
  pieces,
  type Rule,
  type StrictAnswer,
  type StrictApi,
  type StrictRequest,
  textOf,
  unknownField,
} from './strict-server.ts';

const API = 'Bedrock API, Converse';
const TOOLS = 'Bedrock user guide, tool use; documented errors of Converse';
const ERRORS = 'documented errors of Converse';

const TOP = [
  ...['messages', 'system', 'inferenceConfig', 'toolConfig', 'guardrailConfig', 'additionalModelRequestFields'],
  ...['promptVariables', 'additionalModelResponseFieldPaths', 'requestMetadata', 'performanceConfig', 'serviceTier'],
  'outputConfig',
];
const BLOCKS = [
  ...['text', 'image', 'document', 'video', 'audio', 'toolUse', 'toolResult', 'guardContent', 'cachePoint'],
  ...['reasoningContent', 'citationsContent', 'searchResult'],
];
const RESULT_BLOCKS = ['text', 'json', 'image', 'document', 'video', 'searchResult'];
const SYSTEM_BLOCKS = ['text', 'guardContent', 'cachePoint'];
const WORD = /^[a-zA-Z0-9_-]{1,64}$/;
const DOCUMENT_NAME = /^(?!.*\s\s)[A-Za-z0-9\s\-()[\]]{1,200}$/;

/** The formats of each kind of media. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  image: ['gif', 'jpeg', 'png', 'webp'],
  document: ['csv', 'doc', 'docx', 'html', 'md', 'pdf', 'txt', 'xls', 'xlsx'],
  video: ['flv', 'mkv', 'mov', 'mp4', 'mpeg', 'mpg', 'three_gp', 'webm', 'wmv'],
};

const isClaude = ({ model }: StrictRequest): boolean => /claude/.test(model);
const isNova = ({ model }: StrictRequest): boolean => /nova/.test(model);

const messagesOf = ({ body }: StrictRequest): JsonObject[] => objectsOf(body.messages);
const contentOf = (message: JsonObject | undefined): JsonObject[] => objectsOf(message?.content);
const toolsOf = ({ body }: StrictRequest): JsonObject[] => objectsOf(objectOf(body.toolConfig).tools);

type Placed = readonly [block: JsonObject, at: string];

const blocksOf = (request: StrictRequest): Placed[] =>
  messagesOf(request).flatMap((message, at) =>
    contentOf(message).map((block, index): Placed => [block, `messages.${at}.content.${index}`]),
  );

const resultBlocksOf = (request: StrictRequest): Placed[] =>
  blocksOf(request).flatMap(([{ toolResult }, at]) =>
    objectsOf(objectOf(toolResult).content).map((block, index): Placed => [block, `${at}.toolResult.content.${index}`]),
  );

const systemOf = ({ body }: StrictRequest): Placed[] =>
  objectsOf(body.system).map((block, index): Placed => [block, `system.${index}`]);

const idsOf = (message: JsonObject | undefined, kind: 'toolUse' | 'toolResult'): string[] =>
  contentOf(message).flatMap((block) => (isObject(block[kind]) ? [textOf(objectOf(block[kind]).toolUseId)] : []));

/** A block is a union: one known member, and nothing beside it. */
function notOne([block, at]: Placed, known: readonly string[]): string | undefined {
  const unknown = unknownField(block, known);
  if (unknown !== undefined) return `Malformed input request: ${at}: extraneous key [${unknown}] is not permitted`;
  return Object.keys(block).length === 1 ? undefined : `${at}: a union must have exactly one member`;
}

const range = (value: unknown, name: string, least: number, most: number): string | undefined => {
  if (value === undefined || (typeof value === 'number' && value >= least && value <= most)) return undefined;
  return `Value '${String(value)}' at 'inferenceConfig.${name}' failed to satisfy constraint: Member must have value between ${least} and ${most}`;
};

const RULES: readonly Rule[] = [
  {
    rule: 'unknown fields',
    source: API,
    problem: ({ body }) => {
      const field = unknownField(body, TOP);
      return field && `Malformed input request: extraneous key [${field}] is not permitted`;
    },
  },
  {
    rule: 'blocks are unions',
    source: API,
    problem: (request) =>
      firstOf(blocksOf(request), (placed) => notOne(placed, BLOCKS)) ??
      firstOf(resultBlocksOf(request), (placed) => notOne(placed, RESULT_BLOCKS)) ??
      firstOf(systemOf(request), (placed) => notOne(placed, SYSTEM_BLOCKS)),
  },
  {
    rule: 'role order',
    source: ERRORS,
    problem: (request) => {
      const roles = messagesOf(request).map(({ role }) => role);
      if (roles[0] !== 'user') return 'A conversation must start with a user message.';
      const repeated = roles.some((role, at) => role === roles[at - 1]);
      if (repeated) return 'A conversation must alternate between user and assistant roles.';
      return roles.every((role) => role === 'user' || role === 'assistant') ? undefined : 'messages: unknown role';
    },
  },
  {
    rule: 'empty content',
    source: ERRORS,
    problem: (request) => {
      const empty = messagesOf(request).findIndex((message) => contentOf(message).length === 0);
      return empty < 0 ? undefined : `The content field in the Message object at messages.${empty} is empty.`;
    },
  },
  {
    rule: 'blank text',
    source: 'design/pitfalls B9, B10',
    problem: (request) =>
      firstOf([...blocksOf(request), ...resultBlocksOf(request), ...systemOf(request)], ([{ text }, at]) =>
        text === undefined || textOf(text).trim() !== ''
          ? undefined
          : `The text field in the ContentBlock object at ${at} is blank. Add text to the text field, and try again.`,
      ),
  },
  {
    rule: 'ids and names of calls',
    source: `${API}, ToolUseBlock; design/pitfalls B1`,
    problem: (request) => {
      const uses = blocksOf(request).flatMap(([{ toolUse, toolResult }]) => [toolUse, toolResult].filter(isObject));
      const bad = uses.find(({ toolUseId, name }) => !WORD.test(textOf(toolUseId)) || !WORD.test(textOf(name ?? 'f')));
      return bad && `${textOf(bad.toolUseId)} ${textOf(bad.name)}: Member must satisfy pattern [a-zA-Z0-9_-]+`;
    },
  },
  {
    rule: 'arguments are objects without empty keys',
    source: 'design/pitfalls B15',
    problem: (request) =>
      firstOf(blocksOf(request), ([{ toolUse }, at]) => {
        if (!isObject(toolUse)) return undefined;
        if (!isObject(toolUse.input)) return `${at}.toolUse.input: the format of the value is invalid`;
        return JSON.stringify(toolUse.input).includes('"":')
          ? `${at}.toolUse.input: keys must not be empty`
          : undefined;
      }),
  },
  {
    rule: 'unanswered calls',
    source: `${TOOLS}; design/pitfalls B6, B8`,
    problem: (request) =>
      firstOf(messagesOf(request), (message, at) => {
        const uses = idsOf(message, 'toolUse');
        const answers = idsOf(messagesOf(request)[at + 1], 'toolResult');
        const open = uses.filter((id) => !answers.includes(id));
        if (new Set(uses).size < uses.length) return `messages.${at}: toolUse ids must be unique`;
        return open.length > 0
          ? `Expected toolResult blocks at messages.${at + 1}.content for the following Ids: ${open.join(', ')}`
          : undefined;
      }),
  },
  {
    rule: 'results of no call',
    source: TOOLS,
    problem: (request) =>
      firstOf(messagesOf(request), (message, at) => {
        const results = idsOf(message, 'toolResult');
        const uses = idsOf(messagesOf(request)[at - 1], 'toolUse');
        const isOrphan = results.length > uses.length || results.some((id) => !uses.includes(id));
        return isOrphan
          ? `The number of toolResult blocks at messages.${at}.content exceeds the number of toolUse blocks of previous turn.`
          : undefined;
      }),
  },
  {
    rule: 'results have content, and a status only for models that know one',
    source: `${API}, ToolResultBlock`,
    problem: (request) =>
      firstOf(blocksOf(request), ([{ toolResult }, at]) => {
        if (!isObject(toolResult)) return undefined;
        const { status, content } = toolResult;
        if (objectsOf(content).length === 0) return `${at}.toolResult.content: must not be empty`;
        if (status === undefined) return undefined;
        if (!isClaude(request) && !isNova(request)) return "This model doesn't support the status field.";
        return status === 'success' || status === 'error' ? undefined : `${at}.toolResult.status: unknown`;
      }),
  },
  {
    rule: 'a history of calls needs tools',
    source: ERRORS,
    problem: (request) => {
      const holdsCalls = blocksOf(request).some(([{ toolUse, toolResult }]) => toolUse ?? toolResult);
      return holdsCalls && toolsOf(request).length === 0
        ? 'The toolConfig field must be defined when using toolUse and toolResult content blocks.'
        : undefined;
    },
  },
  {
    rule: 'tools',
    source: `${API}, ToolSpecification`,
    problem: (request) => {
      if (request.body.toolConfig !== undefined && toolsOf(request).length === 0) return 'toolConfig.tools: at least 1';
      const specs = toolsOf(request).flatMap(({ toolSpec }) => (isObject(toolSpec) ? [toolSpec] : []));
      const names = specs.map(({ name }) => textOf(name));
      if (new Set(names).size < names.length) return 'The toolConfig field contains duplicate tool names.';
      return firstOf(specs, (spec, at) => specProblem(spec, `toolConfig.tools.${at}.toolSpec`, request));
    },
  },
  {
    rule: 'choices of tools that the model knows',
    source: `${API}, ToolChoice`,
    problem: (request) => {
      const { toolChoice } = objectOf(request.body.toolConfig);
      if (toolChoice === undefined) return undefined;
      const [kind = '', ...others] = Object.keys(objectOf(toolChoice));
      if (others.length > 0 || !['auto', 'any', 'tool'].includes(kind))
        return 'toolConfig.toolChoice: one of auto, any, tool';
      if (/llama|cohere/.test(request.model))
        return `This model doesn't support the toolConfig.toolChoice.${kind} field. Remove it and try again.`;
      const { name } = objectOf(objectOf(toolChoice).tool);
      const isThere = toolsOf(request).some(({ toolSpec }) => objectOf(toolSpec).name === name);
      return kind === 'tool' && !isThere ? `toolConfig.toolChoice.tool: there is no tool ${textOf(name)}` : undefined;
    },
  },
  {
    rule: 'inference settings',
    source: `${API}, InferenceConfiguration`,
    problem: (request) => {
      const given = objectOf(request.body.inferenceConfig);
      const { maxTokens, temperature, topP, stopSequences = [] } = given;
      const unknown = unknownField(given, ['maxTokens', 'temperature', 'topP', 'stopSequences']);
      if (unknown !== undefined) return `inferenceConfig: extraneous key [${unknown}] is not permitted`;
      const stops = Array.isArray(stopSequences) ? stopSequences : [stopSequences];
      const most = isNova(request) ? 4 : 2_500;
      if (stops.length > most) return `inferenceConfig.stopSequences: at most ${most}`;
      if (stops.some((stop) => textOf(stop) === '')) return 'inferenceConfig.stopSequences: must not be empty';
      return (
        range(maxTokens, 'maxTokens', 1, 10_000_000) ??
        range(temperature, 'temperature', 0, 1) ??
        range(topP, 'topP', 0, 1)
      );
    },
  },
  {
    rule: 'media',
    source: `${API}, ImageBlock, DocumentBlock, VideoBlock`,
    problem: (request) =>
      firstOf([...blocksOf(request), ...resultBlocksOf(request)], mediaProblem) ?? documents(request),
  },
  {
    rule: 'signed thinking, of Claude only',
    source: 'Bedrock API, ReasoningTextBlock; design/pitfalls D10',
    problem: (request) =>
      firstOf(blocksOf(request), ([{ reasoningContent }, at]) => {
        if (!isObject(reasoningContent)) return undefined;
        if (!isClaude(request)) return "This model doesn't support the reasoningContent field.";
        const { text, signature } = objectOf(reasoningContent.reasoningText);
        if (reasoningContent.redactedContent !== undefined) return undefined;
        return isSealed('anthropic', textOf(text), signature)
          ? undefined
          : `${at}: Invalid signature in thinking block`;
      }),
  },
  {
    rule: 'cache points',
    source: 'Bedrock user guide, prompt caching',
    problem: (request) => {
      const content = blocksOf(request).filter(([{ cachePoint }]) => cachePoint);
      const system = systemOf(request).filter(([{ cachePoint }]) => cachePoint);
      const tools = toolsOf(request).filter(({ cachePoint }) => cachePoint);
      const all = content.length + system.length + tools.length;
      if (all > 0 && !isClaude(request) && !isNova(request)) return "This model doesn't support the cachePoint field.";
      if (tools.length > 0 && !isClaude(request)) return "This model doesn't support cachePoint in tools.";
      const first = [...content, ...system].find(([, at]) => at.endsWith('.0'));
      if (first) return `${first[1]}: a cachePoint must follow the content that it marks`;
      return all > 4 ? `at most 4 cachePoint blocks, not ${all}` : undefined;
    },
  },
];

function specProblem(spec: JsonObject, at: string, request: StrictRequest): string | undefined {
  const unknown = unknownField(spec, ['name', 'description', 'inputSchema', 'strict']);
  if (unknown !== undefined) return `${at}: extraneous key [${unknown}] is not permitted`;
  if (!WORD.test(textOf(spec.name))) return `${at}.name: Member must satisfy pattern [a-zA-Z0-9_-]+`;
  if (spec.description !== undefined && textOf(spec.description) === '')
    return `${at}.description: at least 1 character`;
  const schema = objectOf(objectOf(spec.inputSchema).json);
  if (schema.type !== 'object') return `The value at ${at}.inputSchema.json.type must be one of the following: object.`;
  const beyond = isNova(request) ? unknownField(schema, ['type', 'properties', 'required']) : undefined;
  if (beyond !== undefined) return `${at}.inputSchema.json: extraneous key [${beyond}] is not permitted`;
  const choice = ['anyOf', 'oneOf', 'allOf'].find((word) => schema[word] !== undefined);
  if (choice) return `${at}.inputSchema.json: input_schema does not support oneOf, allOf, or anyOf at the top level`;
  return JSON.stringify(schema).includes('"":') ? `${at}.inputSchema.json: keys must not be empty` : undefined;
}

function mediaProblem([block, at]: Placed): string | undefined {
  const kind = Object.keys(FORMATS).find((name) => isObject(block[name]));
  if (kind === undefined) return undefined;
  const { format, source, name } = objectOf(block[kind]);
  if (!FORMATS[kind]?.includes(textOf(format))) return `${at}.${kind}.format: unknown format ${textOf(format)}`;
  if (Object.keys(objectOf(source)).length !== 1) return `${at}.${kind}.source: exactly one member`;
  const isNamed = kind !== 'document' || DOCUMENT_NAME.test(textOf(name));
  return isNamed ? undefined : `${at}.document.name: the file name contains characters that are not allowed`;
}

/** Each has a name of its own, and a message with one says something beside it. */
function documents(request: StrictRequest): string | undefined {
  const names = [...blocksOf(request), ...resultBlocksOf(request)].flatMap(([{ document }]) =>
    isObject(document) ? [textOf(document.name)] : [],
  );
  if (new Set(names).size < names.length) return 'Found documents with duplicate names.';
  const alone = messagesOf(request).find(
    (message) => contentOf(message).some((block) => block.document) && !contentOf(message).some((block) => block.text),
  );
  return alone && 'A text block must be included when using documents.';
}

const contentGiven = ({ text, calls = [] }: StrictAnswer, count: number): JsonObject[] => [
  ...(text === undefined ? [] : [{ text }]),
  ...calls.map(({ name, input }, index) => ({ toolUse: { toolUseId: `tooluse_${count}-${index}`, name, input } })),
];

const stopOf = ({ calls = [] }: StrictAnswer): string => (calls.length > 0 ? 'tool_use' : 'end_turn');

const USAGE = { inputTokens: 100, outputTokens: 20, totalTokens: 120 };

function framesOf({ text, toolUse }: JsonObject, contentBlockIndex: number): Buffer[] {
  const delta = (change: object) => frame('contentBlockDelta', { contentBlockIndex, delta: change });
  const { input, ...start } = objectOf(toolUse);
  const started = toolUse ? [frame('contentBlockStart', { contentBlockIndex, start: { toolUse: start } })] : [];
  const deltas = toolUse
    ? pieces(JSON.stringify(input)).map((piece) => delta({ toolUse: { input: piece } }))
    : pieces(textOf(text)).map((piece) => delta({ text: piece }));
  return [...started, ...deltas, frame('contentBlockStop', { contentBlockIndex })];
}

export const strictConverse: StrictApi = {
  rules: RULES,
  refusal: (message) => ({ status: 400, body: { message } }),
  whole: (answer, _request, count) => ({
    output: { message: { role: 'assistant', content: contentGiven(answer, count) } },
    stopReason: stopOf(answer),
    usage: USAGE,
    metrics: { latencyMs: 10 },
  }),
  streamType: 'application/vnd.amazon.eventstream',
  streamed: (answer, _request, count) =>
    Buffer.concat([
      frame('messageStart', { role: 'assistant' }),
      ...contentGiven(answer, count).flatMap(framesOf),
      frame('messageStop', { stopReason: stopOf(answer) }),
      frame('metadata', { usage: USAGE, metrics: { latencyMs: 10 } }),
    ]),
};
