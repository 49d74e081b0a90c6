import type { JsonObject } from '../../src/model/json.ts';
import { strictSchemaProblems } from './strict-schemas.ts';
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
  seal,
  sse,
  textOf,
  unknownField,
} from './strict-server.ts';

const MAKER = 'anthropic';
const API = 'Anthropic Messages API';
const THINKING = 'Anthropic, extended thinking';

const TOP = [
  ...['model', 'messages', 'max_tokens', 'system', 'tools', 'tool_choice', 'stream', 'metadata', 'thinking'],
  ...['temperature', 'top_p', 'top_k', 'stop_sequences', 'service_tier', 'output_config', 'cache_control'],
  ...['container', 'inference_geo'],
];
/** Known only to those who ask for a beta by header. */
const BETA = ['context_management', 'mcp_servers', 'output_format', 'safeguards', 'speed'];

const BLOCK_FIELDS: Readonly<Record<string, readonly string[]>> = {
  text: ['type', 'text', 'cache_control', 'citations'],
  thinking: ['type', 'thinking', 'signature'],
  redacted_thinking: ['type', 'data'],
  tool_use: ['type', 'id', 'name', 'input', 'cache_control', 'caller'],
  tool_result: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'],
  image: ['type', 'source', 'cache_control'],
  document: ['type', 'source', 'title', 'context', 'citations', 'cache_control'],
};

/** Output limits: the vendor's model pages. */
const LIMITS: readonly (readonly [RegExp, number])[] = [
  [/^claude-3-5-/, 8_192],
  [/^claude-opus-4-(0|1|20)/, 32_000],
  [/^claude-(sonnet|haiku|opus)-4(-5)?(-20|$)/, 64_000],
  [/^claude-/, 128_000],
];

const IMAGES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];

const contentOf = (message: JsonObject): JsonObject[] =>
  typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : objectsOf(message.content);

const messagesOf = ({ body }: StrictRequest): JsonObject[] => objectsOf(body.messages);
const blocksOf = (request: StrictRequest): [JsonObject, string][] =>
  messagesOf(request).flatMap((message, at) =>
    contentOf(message).map((block, index): [JsonObject, string] => [block, `messages.${at}.content.${index}`]),
  );
const thinks = ({ body }: StrictRequest): boolean =>
  ['enabled', 'adaptive'].includes(textOf(objectOf(body.thinking).type));
const resultsOf = (message: JsonObject | undefined): JsonObject[] =>
  message ? contentOf(message).filter(({ type }) => type === 'tool_result') : [];

const RULES: readonly Rule[] = [
  {
    rule: 'unknown fields',
    source: API,
    problem: ({ body, headers }) => {
      const field = unknownField(body, headers['anthropic-beta'] ? [...TOP, ...BETA] : TOP);
      return field && `${field}: Extra inputs are not permitted`;
    },
  },
  {
    rule: 'required fields',
    source: API,
    problem: ({ body }) =>
      firstOf(['model', 'max_tokens', 'messages'], (field) =>
        body[field] === undefined ? `${field}: Field required` : undefined,
      ),
  },
  {
    rule: 'max_tokens above the limit of the model',
    source: 'design/pitfalls E1; Claude Code, context-length wording',
    problem: ({ body, model }) => {
      const limit = LIMITS.find(([name]) => name.test(model))?.[1];
      if (limit === undefined || Number(body.max_tokens) <= limit) return undefined;
      return `max_tokens: ${String(body.max_tokens)} > ${limit}, which is the maximum allowed number of output tokens for ${model}`;
    },
  },
  {
    rule: 'unknown fields of blocks',
    source: 'documented errors: Extra inputs are not permitted',
    problem: (request) =>
      firstOf(blocksOf(request), ([block, at]) => {
        const known = BLOCK_FIELDS[textOf(block.type)];
        const field = known && unknownField(block, known);
        return field && `${at}.${textOf(block.type)}.${field}: Extra inputs are not permitted`;
      }),
  },
  {
    rule: 'role order',
    source: API,
    problem: (request) => {
      const messages = messagesOf(request);
      if (messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
      return firstOf(messages, ({ role }, at) =>
        ['user', 'assistant', 'system'].includes(textOf(role))
          ? undefined
          : `messages.${at}.role: Input should be 'user' or 'assistant'`,
      );
    },
  },
  {
    rule: 'empty text',
    source: 'design/pitfalls B9, B10',
    problem: (request) => {
      const texts = [...blocksOf(request).map(([block]) => block), ...objectsOf(request.body.system)];
      const empty = texts.some(({ type, text }) => type === 'text' && text === '');
      const blank = texts.some(({ type, text }) => type === 'text' && textOf(text).trim() === '');
      if (empty) return 'messages: text content blocks must be non-empty';
      return blank ? 'messages: text content blocks must contain non-whitespace text' : undefined;
    },
  },
  {
    rule: 'pictures of the assistant',
    source: "the API's refusal, in reports of users",
    problem: (request) =>
      firstOf(messagesOf(request), (message, at) => {
        const block =
          message.role === 'assistant' && contentOf(message).find(({ type }) => /image|document/.test(textOf(type)));
        return block
          ? `messages.${at}.content: '${textOf(block.type)}' blocks are not permitted within assistant turns.`
          : undefined;
      }),
  },
  {
    rule: 'prefill that ends in white space',
    source: API,
    problem: (request) => {
      const last = messagesOf(request).at(-1);
      const block = last?.role === 'assistant' ? contentOf(last).at(-1) : undefined;
      return block?.type === 'text' && /\s$/.test(textOf(block.text))
        ? 'messages: final assistant content cannot end with trailing whitespace'
        : undefined;
    },
  },
  {
    rule: 'ids of calls',
    source: 'design/pitfalls B1',
    problem: (request) => {
      const uses = blocksOf(request).filter(([{ type }]) => type === 'tool_use');
      const bad = uses.find(([{ id }]) => !/^[a-zA-Z0-9_-]+$/.test(textOf(id)));
      if (bad) return `${bad[1]}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`;
      const ids = uses.map(([{ id }]) => id);
      return new Set(ids).size < ids.length ? 'messages: `tool_use` ids must be unique' : undefined;
    },
  },
  {
    rule: 'unanswered calls',
    source: 'design/pitfalls B6, B8',
    problem: (request) =>
      firstOf(messagesOf(request), (message, at) => {
        const ids = message.role === 'assistant' ? contentOf(message).filter(({ type }) => type === 'tool_use') : [];
        const answers = resultsOf(messagesOf(request)[at + 1]).map((result) => result.tool_use_id);
        const open = ids.map(({ id }) => textOf(id)).filter((id) => !answers.includes(id));
        if (open.length === 0) return undefined;
        return `messages.${at + 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
      }),
  },
  {
    rule: 'results of no call, and results behind text',
    source: 'design/pitfalls B6, B8',
    problem: (request) =>
      firstOf(messagesOf(request), (message, at) => {
        const before = messagesOf(request)[at - 1];
        const ids = before ? contentOf(before).map(({ id }) => id) : [];
        const orphan = resultsOf(message).find((result) => !ids.includes(result.tool_use_id));
        if (orphan) {
          return `messages.${at}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${textOf(orphan.tool_use_id)}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
        }
        const kinds = contentOf(message).map(({ type }) => type === 'tool_result');
        return kinds.lastIndexOf(true) >= 0 &&
          kinds.indexOf(false) >= 0 &&
          kinds.indexOf(false) < kinds.lastIndexOf(true)
          ? `messages.${at}: \`tool_result\` blocks must come first`
          : undefined;
      }),
  },
  {
    rule: 'signatures of thinking',
    source: 'design/pitfalls D7, D9',
    problem: (request) =>
      firstOf(blocksOf(request), ([block, at]) => {
        if (block.type === 'thinking' && block.signature === undefined)
          return `${at}.thinking.signature: Field required`;
        const isForeign = block.type === 'thinking' && !isSealed(MAKER, textOf(block.thinking), block.signature);
        return isForeign ? `${at}: Invalid \`signature\` in \`thinking\` block` : undefined;
      }),
  },
  {
    rule: 'a turn of tools begins with thinking where that has a budget',
    source: THINKING,
    problem: (request) => {
      if (objectOf(request.body.thinking).type !== 'enabled') return undefined;
      const messages = messagesOf(request).filter(({ role }) => role !== 'system');
      if (resultsOf(messages.at(-1)).length === 0) return undefined;
      const asked = messages.findLastIndex((message) => message.role === 'user' && resultsOf(message).length === 0);
      const steps = messages.slice(asked + 1).filter(({ role }) => role === 'assistant');
      const begins = (step: JsonObject | undefined) => /thinking/.test(textOf(step && contentOf(step)[0]?.type));
      if (begins(steps[0]) || begins(steps.at(-1))) return undefined;
      return `messages.${asked + 1}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${textOf(steps[0] && contentOf(steps[0])[0]?.type)}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks).`;
    },
  },
  {
    rule: 'what thinking excludes',
    source: `${THINKING}; design/pitfalls D12, D16`,
    problem: (request) => {
      if (!thinks(request)) return undefined;
      const { thinking, max_tokens: limit, temperature, top_p: topP, top_k: topK, tool_choice: choice } = request.body;
      const { budget_tokens: budget, type } = objectOf(thinking);
      if (type === 'enabled' && !(Number(budget) >= 1_024)) {
        return 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024';
      }
      if (Number(budget) >= Number(limit)) return '`max_tokens` must be greater than `thinking.budget_tokens`.';
      if (temperature !== undefined && temperature !== 1) {
        return '`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.';
      }
      if (topK !== undefined) return '`top_k` must be unset when thinking is enabled or in adaptive mode.';
      if (topP !== undefined && Number(topP) < 0.95)
        return '`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.';
      return ['any', 'tool'].includes(textOf(objectOf(choice).type))
        ? 'Thinking may not be enabled when tool_choice forces tool use.'
        : undefined;
    },
  },
  {
    rule: 'adaptive thinking on models that have none',
    source: 'design/pitfalls D13',
    problem: ({ body, model }) =>
      objectOf(body.thinking).type === 'adaptive' && /^claude-(3|\w+-4-[015](\D|$)|\w+-4-20)/.test(model)
        ? 'adaptive thinking is not supported on this model'
        : undefined,
  },
  {
    rule: 'sampling out of range',
    source: API,
    problem: ({ body }) => (Number(body.temperature ?? 0) > 1 ? 'temperature: range: 0..1' : undefined),
  },
  {
    rule: 'temperature beside top_p on newer models',
    source: 'Anthropic, migration to Claude 4.5',
    problem: ({ body, model }) =>
      body.temperature !== undefined &&
      body.top_p !== undefined &&
      /^claude-(sonnet|haiku|opus)-4-[1-9](\D|$)/.test(model)
        ? '`temperature` and `top_p` cannot both be specified for this model. Please use only one.'
        : undefined,
  },
  {
    rule: 'types of images',
    source: `${API}, image source`,
    problem: (request) =>
      firstOf(
        blocksOf(request).flatMap(([block]) => [block, ...objectsOf(block.content)]),
        ({ type, source }) => {
          const { type: kind, media_type: mediaType } = objectOf(source);
          return type === 'image' && kind === 'base64' && !IMAGES.includes(textOf(mediaType))
            ? "image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
            : undefined;
        },
      ),
  },
  {
    rule: 'people and words to stop at',
    source: `${API}, metadata.user_id and stop_sequences`,
    problem: ({ body }) => {
      if (textOf(objectOf(body.metadata).user_id).length > 256) {
        return 'metadata.user_id: String should have at most 256 characters';
      }
      const { stop_sequences: words } = body;
      return Array.isArray(words) && words.some((word) => textOf(word).trim() === '')
        ? 'stop_sequences: each stop sequence must contain non-whitespace'
        : undefined;
    },
  },
  {
    rule: 'names of tools',
    source: API,
    problem: ({ body }) => {
      const names = objectsOf(body.tools).map(({ name }) => textOf(name));
      const at = names.findIndex((name) => !/^[a-zA-Z0-9_-]{1,128}$/.test(name));
      if (at >= 0) return `tools.${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`;
      return new Set(names).size < names.length ? 'tools: Tool names must be unique.' : undefined;
    },
  },
  {
    rule: 'schemas of tools',
    source: 'strict-schemas.ts',
    problem: ({ body }) =>
      firstOf(objectsOf(body.tools), (tool, at) => {
        if (tool.type !== undefined && tool.type !== 'custom') return undefined;
        const [problem] = strictSchemaProblems(
          tool.strict === true ? 'anthropic-strict' : 'anthropic',
          tool.input_schema,
        );
        return problem && `tools.${at}.custom.input_schema: ${problem}`;
      }),
  },
  {
    rule: 'schemas of answers',
    source: 'Anthropic, structured outputs, JSON Schema limitations',
    problem: ({ body, model }) => {
      const { format } = objectOf(body.output_config);
      if (format === undefined) return undefined;
      if (/^claude-(3|\w+-4-(0|1|20))/.test(model)) return `output_config.format: not supported by ${model}`;
      const [problem] = strictSchemaProblems('anthropic-answer', objectOf(format).schema);
      return problem && `output_config.format.schema: ${problem}`;
    },
  },
  {
    rule: 'a choice without tools',
    source: API,
    problem: ({ body }) =>
      body.tool_choice !== undefined && objectsOf(body.tools).length === 0
        ? 'tool_choice: may only be specified while providing tools.'
        : undefined,
  },
  {
    rule: 'at most four cache marks',
    source: 'Anthropic, prompt caching',
    problem: ({ body }) => {
      const marks = JSON.stringify([body.system, body.messages, body.tools]).split('"cache_control":{').length - 1;
      return marks > 4 ? `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.` : undefined;
    },
  },
];

/** Thinking is given when it was asked for. */
function blocksGiven(
  { thinking, text, calls = [] }: StrictAnswer,
  request: StrictRequest,
  count: number,
): JsonObject[] {
  return [
    ...(thinking !== undefined && thinks(request)
      ? [{ type: 'thinking', thinking, signature: seal(MAKER, thinking) }]
      : []),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map(({ name, input }, index) => ({
      type: 'tool_use',
      id: `toolu_01Strict${count}x${index}abcdef`,
      name,
      input,
    })),
  ];
}

const head = ({ model }: StrictRequest, count: number): JsonObject => ({
  id: `msg_01Strict${count}`,
  type: 'message',
  role: 'assistant',
  model,
});

const stopOf = ({ calls = [] }: StrictAnswer): string => (calls.length > 0 ? 'tool_use' : 'end_turn');

function streamedBlock(block: JsonObject, index: number): string {
  const delta = (change: JsonObject) =>
    sse({ type: 'content_block_delta', index, delta: change }, 'content_block_delta');
  const [opened, deltas] = openedBlock(block);
  return [
    sse({ type: 'content_block_start', index, content_block: opened }, 'content_block_start'),
    ...deltas.map(delta),
    sse({ type: 'content_block_stop', index }, 'content_block_stop'),
  ].join('');
}

function openedBlock(block: JsonObject): [opened: JsonObject, deltas: JsonObject[]] {
  switch (block.type) {
    case 'thinking':
      return [
        { ...block, thinking: '', signature: '' },
        [
          ...pieces(textOf(block.thinking)).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block.signature },
        ],
      ];
    case 'text':
      return [{ ...block, text: '' }, pieces(textOf(block.text)).map((text) => ({ type: 'text_delta', text }))];
    default:
      return [
        { ...block, input: {} },
        pieces(JSON.stringify(block.input)).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      ];
  }
}

export const strictAnthropic: StrictApi = {
  rules: RULES,
  refusal: (message) => ({
    status: 400,
    body: { type: 'error', error: { type: 'invalid_request_error', message }, request_id: 'req_011Strict' },
  }),
  whole: (answer, request, count) => ({
    ...head(request, count),
    content: blocksGiven(answer, request, count),
    stop_reason: stopOf(answer),
    stop_sequence: null,
    usage: { input_tokens: 100, output_tokens: 20 },
  }),
  streamed: (answer, request, count) =>
    [
      sse(
        {
          type: 'message_start',
          message: {
            ...head(request, count),
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: 100, output_tokens: 1 },
          },
        },
        'message_start',
      ),
      ...blocksGiven(answer, request, count).map(streamedBlock),
      sse(
        {
          type: 'message_delta',
          delta: { stop_reason: stopOf(answer), stop_sequence: null },
          usage: { output_tokens: 20 },
        },
        'message_delta',
      ),
      sse({ type: 'message_stop' }, 'message_stop'),
    ].join(''),
};
