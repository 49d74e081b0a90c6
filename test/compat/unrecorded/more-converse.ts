import type { JsonObject } from '../../../src/model/json.ts';
import { delta, ended, opened, stop, texts, tool, whole } from './converse.ts';
import type { Unrecorded } from './unrecorded.ts';

const started = (contentBlockIndex: number, start: JsonObject): JsonObject => ({
  contentBlockStart: { contentBlockIndex, start },
});
const use = (n: number): JsonObject => ({ toolUse: { toolUseId: `tooluse_${n}`, name: 'look' } });
const input = (index: number, text: string): JsonObject => delta(index, { toolUse: { input: text } });
const thinks = (index: number, text: string): JsonObject => delta(index, { reasoningContent: { text } });
const LONG = 'A long line of text, é😀. '.repeat(8_000);
const PNG = 'iVBORw0KGgo=';
const CITED: JsonObject = { title: 'A', source: 'https://a.test', location: { web: { url: 'https://a.test' } } };

const CONVERSES: readonly Omit<Unrecorded, 'format'>[] = [
  {
    what: 'calls whose inputs come by turns',
    chunks: [
      opened,
      started(0, use(1)),
      input(0, '{"a'),
      started(1, use(2)),
      input(1, '{"b":'),
      input(0, '":1}'),
      input(1, '[2]}'),
      stop(1),
      stop(0),
      ...ended('tool_use'),
    ],
    says: {
      calls: [
        ['look', { a: 1 }, 'tooluse_1'],
        ['look', { b: [2] }, 'tooluse_2'],
      ],
    },
  },
  {
    what: 'calls without inputs',
    chunks: [
      opened,
      ...tool(0, 'tooluse_1', 'look'),
      ...tool(1, 'tooluse_2', 'look', ''),
      ...tool(2, 'tooluse_3', 'look', ' '),
      ...ended('tool_use'),
    ],
    says: {
      calls: [
        ['look', {}, 'tooluse_1'],
        ['look', {}, 'tooluse_2'],
        ['look', {}, 'tooluse_3'],
      ],
    },
  },
  {
    what: 'nothing but white space',
    chunks: [opened, ...texts(0, '\n', ' \n'), ...ended('end_turn')],
    whole: whole([{ text: '\n \n' }]),
    says: { text: '\n \n' },
  },
  {
    what: 'several texts',
    chunks: [opened, ...texts(0, 'a '), ...texts(1, 'b '), ...texts(2, 'c'), ...ended('end_turn')],
    whole: whole([{ text: 'a ' }, { text: 'b ' }, { text: 'c' }]),
    says: { text: 'a b c' },
  },
  {
    what: 'a very long delta',
    chunks: [opened, ...texts(0, LONG), ...ended('end_turn')],
    whole: whole([{ text: LONG }]),
    says: { text: LONG },
  },
  {
    what: 'a letter in two halves',
    chunks: [opened, ...texts(0, 'a\ud83d', '\ude00b'), ...ended('end_turn')],
    says: { text: 'a😀b' },
  },
  {
    what: 'a picture in a stream',
    chunks: [
      opened,
      ...texts(0, 'Here.'),
      started(1, { image: { format: 'png' } }),
      delta(1, { image: { source: { bytes: PNG } } }),
      stop(1),
      ...ended('end_turn'),
    ],
    says: { text: 'Here.' },
  },
  {
    what: 'thinking between calls',
    chunks: [
      opened,
      thinks(0, 'hm '),
      delta(0, { reasoningContent: { signature: 'c2ln' } }),
      stop(0),
      ...tool(1, 'tooluse_1', 'look', '{"a":1}'),
      thinks(2, 'ok'),
      delta(2, { reasoningContent: { signature: 'c2ln' } }),
      stop(2),
      ...tool(3, 'tooluse_2', 'look', '{"a":2}'),
      ...ended('tool_use'),
    ],
    says: {
      reasoning: 'hm ok',
      calls: [
        ['look', { a: 1 }, 'tooluse_1'],
        ['look', { a: 2 }, 'tooluse_2'],
      ],
    },
  },
  {
    what: 'a call before a text',
    chunks: [opened, ...tool(0, 'tooluse_1', 'look', '{"a":1}'), ...texts(1, 'So.'), ...ended('tool_use')],
    whole: whole([{ toolUse: { toolUseId: 'tooluse_1', name: 'look', input: { a: 1 } } }, { text: 'So.' }], 'tool_use'),
    says: { text: 'So.', calls: [['look', { a: 1 }, 'tooluse_1']] },
  },
  {
    what: 'blocks that never stop',
    chunks: [opened, delta(0, { text: 'So.' }), started(1, use(1)), input(1, '{"a":1}'), ...ended('tool_use')],
    says: { text: 'So.', calls: [['look', { a: 1 }, 'tooluse_1']] },
  },
  {
    what: 'counts before the end',
    chunks: [opened, ...texts(0, 'x'), ...ended('end_turn').reverse()],
    says: { text: 'x' },
  },
  {
    what: 'no beginning',
    chunks: [...texts(0, 'x'), ...ended('end_turn')],
    says: { text: 'x' },
  },
  {
    what: 'fields of the model',
    chunks: [
      opened,
      ...texts(0, 'x'),
      { messageStop: { stopReason: 'end_turn', additionalModelResponseFields: { logprob: -0.1 } } },
      { metadata: { usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 }, metrics: { latencyMs: 5 } } },
    ],
    whole: whole([{ text: 'x' }], 'end_turn', { additionalModelResponseFields: { logprob: -0.1 } }),
    says: { text: 'x' },
    losses: [/additionalModelResponseFields/],
  },
  {
    what: 'a film, a sound and a paper',
    whole: whole([
      { text: 'Here.' },
      { video: { format: 'mp4', source: { bytes: 'AAAA' } } },
      { audio: { format: 'wav', source: { bytes: 'UklGRg==' } } },
      { document: { format: 'pdf', name: 'a', source: { bytes: 'JVBERi0=' } } },
    ]),
    says: { text: 'Here.' },
    tells: { gemini: ['video/mp4', 'audio/wav', 'application/pdf'] },
  },
  {
    what: 'pages of one text of several',
    chunks: [
      opened,
      ...texts(0, 'See '),
      delta(1, { text: 'here' }),
      delta(1, { citation: CITED }),
      stop(1),
      ...texts(2, '.'),
      ...ended('end_turn'),
    ],
    whole: whole([
      { text: 'See ' },
      { citationsContent: { content: [{ text: 'here' }], citations: [CITED] } },
      { text: '.' },
    ]),
    says: { text: 'See here.' },
    tells: {
      'openai-chat': ['https://a.test'],
      'openai-responses': ['https://a.test'],
      'anthropic-messages': ['https://a.test'],
      gemini: ['https://a.test'],
    },
  },
  {
    what: 'an end in a word of tomorrow',
    chunks: [opened, ...texts(0, 'x'), ...ended('tomorrow')],
    whole: whole([{ text: 'x' }], 'tomorrow'),
    says: { text: 'x', kind: 'other' },
  },
  {
    what: 'events that nobody knows',
    chunks: [
      opened,
      { heartbeat: {} },
      delta(0, { text: 'x' }),
      { contentBlockHint: { contentBlockIndex: 0 } },
      stop(0),
      ...ended('end_turn'),
    ],
    says: { text: 'x' },
  },
  {
    what: 'a call at the limit',
    chunks: [opened, ...texts(0, 'x'), started(1, use(1)), input(1, '{"a":'), stop(1), ...ended('max_tokens')],
    says: { text: 'x', kind: 'length' },
  },
];

export const MORE_CONVERSES: readonly Unrecorded[] = CONVERSES.map((one) => ({ ...one, format: 'bedrock-converse' }));
