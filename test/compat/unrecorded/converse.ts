import type { JsonObject } from '../../../src/model/json.ts';
import type { Unrecorded } from './unrecorded.ts';

const usage: JsonObject = { inputTokens: 11, outputTokens: 7, totalTokens: 18 };
/** `{type: {...}}`, as the SDK gives events. */
export const opened: JsonObject = { messageStart: { role: 'assistant' } };
export const delta = (contentBlockIndex: number, given: JsonObject): JsonObject => ({
  contentBlockDelta: { contentBlockIndex, delta: given },
});
export const stop = (contentBlockIndex: number): JsonObject => ({ contentBlockStop: { contentBlockIndex } });
export const texts = (index: number, ...words: string[]): JsonObject[] => [
  ...words.map((text) => delta(index, { text })),
  stop(index),
];
export const tool = (index: number, toolUseId: string, name: string, ...inputs: string[]): JsonObject[] => [
  { contentBlockStart: { contentBlockIndex: index, start: { toolUse: { toolUseId, name } } } },
  ...inputs.map((input) => delta(index, { toolUse: { input } })),
  stop(index),
];
export const ended = (stopReason: string, more: JsonObject = {}, counts: JsonObject = usage): JsonObject[] => [
  { messageStop: { stopReason } },
  { metadata: { usage: counts, metrics: { latencyMs: 5 }, ...more } },
];
export const whole = (content: JsonObject[], stopReason = 'end_turn', more: JsonObject = {}): JsonObject => ({
  output: { message: { role: 'assistant', content } },
  stopReason,
  usage,
  metrics: { latencyMs: 5 },
  ...more,
});
const CITATIONS: JsonObject[] = [
  {
    title: 'A',
    source: 'https://a.test',
    sourceContent: [{ text: 'w' }],
    location: { web: { url: 'https://a.test', domain: 'a.test' } },
  },
  { title: 'Doc', sourceContent: [{ text: 'w' }], location: { documentChar: { documentIndex: 0, start: 0, end: 1 } } },
  { title: 'Doc', location: { documentPage: { documentIndex: 0, start: 1, end: 2 } } },
  { title: 'Doc', location: { documentChunk: { documentIndex: 0, start: 0, end: 1 } } },
  {
    title: 'B',
    source: 'https://b.test',
    location: { searchResultLocation: { searchResultIndex: 0, start: 0, end: 1 } },
  },
];

const CONVERSES: readonly Omit<Unrecorded, 'format'>[] = [
  {
    what: 'signed and hidden thinking, a text and calls in pieces',
    chunks: [
      opened,
      delta(0, { reasoningContent: { text: 'hm ' } }),
      delta(0, { reasoningContent: { text: 'ok' } }),
      delta(0, { reasoningContent: { signature: 'c2ln' } }),
      stop(0),
      delta(1, { reasoningContent: { redactedContent: 'cmVk' } }),
      stop(1),
      ...texts(2, 'So ', 'é😀'),
      ...tool(3, 'tooluse_1', 'look', '', '{"at":[1', ',{"b":"ü', '😀"}]', '}'),
      ...tool(4, 'tooluse_2', 'none'),
      ...ended('tool_use'),
    ],
    whole: whole(
      [
        { reasoningContent: { reasoningText: { text: 'hm ok', signature: 'c2ln' } } },
        { reasoningContent: { redactedContent: 'cmVk' } },
        { text: 'So é😀' },
        { toolUse: { toolUseId: 'tooluse_1', name: 'look', input: { at: [1, { b: 'ü😀' }] } } },
        { toolUse: { toolUseId: 'tooluse_2', name: 'none', input: {} } },
      ],
      'tool_use',
    ),
    says: {
      text: 'So é😀',
      reasoning: 'hm ok',
      calls: [
        ['look', { at: [1, { b: 'ü😀' }] }, 'tooluse_1'],
        ['none', {}, 'tooluse_2'],
      ],
    },
  },
  {
    what: 'a guardrail that stepped in',
    chunks: [
      opened,
      ...texts(0, 'Sorry, no.'),
      ...ended('guardrail_intervened', {
        trace: { guardrail: { actionReason: 'Guardrail blocked.', modelOutput: ['x'] } },
      }),
    ],
    whole: whole([{ text: 'Sorry, no.' }], 'guardrail_intervened', {
      trace: { guardrail: { actionReason: 'Guardrail blocked.' } },
    }),
    says: { text: 'Sorry, no.', kind: 'refusal' },
    losses: [/trace/],
  },
  {
    what: 'a filter that stepped in',
    chunks: [opened, ...texts(0, 'up to'), ...ended('content_filtered')],
    says: { text: 'up to', kind: 'refusal' },
  },
  {
    what: 'the limit',
    chunks: [opened, ...texts(0, 'up to'), ...ended('max_tokens')],
    says: { text: 'up to', kind: 'length' },
  },
  {
    what: 'a full context',
    chunks: [opened, ...texts(0, 'x'), ...ended('model_context_window_exceeded')],
    says: { text: 'x', kind: 'context-exceeded' },
  },
  {
    what: 'a stop sequence',
    chunks: [
      opened,
      ...texts(0, 'x'),
      { messageStop: { stopReason: 'stop_sequence', additionalModelResponseFields: { stop_sequence: 'END' } } },
      { metadata: { usage, metrics: { latencyMs: 1 } } },
    ],
    says: { text: 'x', kind: 'stop-sequence' },
  },
  {
    what: 'output that it could not read',
    chunks: [opened, ...texts(0, 'x'), ...ended('malformed_model_output')],
    says: { text: 'x', kind: 'other' },
  },
  {
    what: 'citations of all kinds',
    chunks: [
      opened,
      delta(0, { text: 'It is.' }),
      ...CITATIONS.map((citation) => delta(0, { citation })),
      stop(0),
      ...ended('end_turn'),
    ],
    whole: whole([{ citationsContent: { content: [{ text: 'It is.' }], citations: CITATIONS } }]),
    says: { text: 'It is.' },
    tells: {
      'openai-chat': ['https://a.test', 'https://b.test'],
      'openai-responses': ['https://a.test', 'https://b.test'],
      'anthropic-messages': [
        'https://a.test',
        'https://b.test',
        'char_location',
        'page_location',
        'content_block_location',
      ],
      gemini: ['https://a.test', 'https://b.test'],
    },
    losses: [/citations/],
  },
  {
    what: 'counts of its cache',
    chunks: [
      opened,
      ...texts(0, 'x'),
      ...ended(
        'end_turn',
        { performanceConfig: { latency: 'optimized' }, serviceTier: { type: 'flex' } },
        {
          inputTokens: 2,
          outputTokens: 7,
          totalTokens: 18,
          cacheReadInputTokens: 4,
          cacheWriteInputTokens: 5,
          cacheDetails: [{ ttl: '1h', inputTokens: 5 }],
        },
      ),
    ],
    says: { text: 'x', usage: { input: 11, cacheRead: 4 } },
  },
  {
    what: 'an exception in the middle',
    chunks: [
      opened,
      delta(0, { text: 'x' }),
      { exception: { type: 'throttlingException', message: 'Too many requests' } },
    ],
    says: { fails: undefined },
  },
  {
    what: 'an exception before anything',
    chunks: [{ exception: { type: 'throttlingException', message: 'Too many requests' } }],
    says: { fails: 429 },
  },
  {
    what: 'a picture',
    whole: whole([{ text: 'Here.' }, { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } }]),
    says: { text: 'Here.' },
    tells: { 'openai-chat': ['iVBORw0KGgo='], gemini: ['iVBORw0KGgo='] },
  },
  {
    what: 'a search of Nova’s own',
    chunks: [
      opened,
      {
        contentBlockStart: {
          contentBlockIndex: 0,
          start: { toolUse: { toolUseId: 'tooluse_s', name: 'nova_grounding', type: 'server_tool_use' } },
        },
      },
      delta(0, { toolUse: { input: '{}' } }),
      stop(0),
      {
        contentBlockStart: {
          contentBlockIndex: 1,
          start: { toolResult: { toolUseId: 'tooluse_s', type: 'nova_grounding_result', status: 'success' } },
        },
      },
      delta(1, { toolResult: [{ json: { a: 1 } }] }),
      stop(1),
      ...texts(2, 'Found.'),
      ...ended('end_turn'),
    ],
    says: { text: 'Found.' },
    losses: [/content/],
  },
  { what: 'nothing', chunks: [opened, ...ended('end_turn')], whole: whole([]), says: {} },
];

export const UNRECORDED_CONVERSES: readonly Unrecorded[] = CONVERSES.map((one) => ({
  ...one,
  format: 'bedrock-converse',
}));
