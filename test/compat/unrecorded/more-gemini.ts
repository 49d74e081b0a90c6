import type { JsonObject } from '../../../src/model/json.ts';
import { ending, NAMES, PNG, parts, usageMetadata, whole } from './gemini.ts';
import type { Unrecorded } from './unrecorded.ts';

const call = (name: string, args?: JsonObject, more: JsonObject = {}): JsonObject => ({
  functionCall: { name, ...(args && { args }), ...more },
});
const LONG = 'A long line of text, é😀. '.repeat(8_000);
const NESTED: JsonObject = {
  text: 'a "b"\n\\ ü😀\u2028',
  numbers: [0, -1.5, 1e21],
  none: null,
  '': 'empty',
  deep: { a: [{ b: [] }] },
};
const LOGPROBS: JsonObject = {
  avgLogprobs: -0.1,
  logprobsResult: { chosenCandidates: [{ token: 'x', logProbability: -0.1 }], topCandidates: [{ candidates: [] }] },
};
const RATINGS: JsonObject[] = [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' }];

const GEMINIS: readonly Omit<Unrecorded, 'format'>[] = [
  {
    what: 'probabilities of its words',
    chunks: [parts({ text: 'x' }), ending('STOP', LOGPROBS)],
    whole: whole([{ text: 'x' }], 'STOP', LOGPROBS),
    says: { text: 'x' },
    losses: [/logprobsResult/, /avgLogprobs/],
  },
  {
    what: 'nothing but white space',
    chunks: [parts({ text: '\n' }), parts({ text: ' \n' }), ending('STOP')],
    whole: whole([{ text: '\n \n' }]),
    says: { text: '\n \n' },
  },
  {
    what: 'texts and calls by turns',
    chunks: [
      parts({ text: 'First ' }, call('look', { a: 1 })),
      parts({ text: 'then ' }),
      parts(call('look', { a: 2 }), { text: 'done.' }),
      ending('STOP'),
    ],
    whole: whole([
      { text: 'First ' },
      call('look', { a: 1 }),
      { text: 'then ' },
      call('look', { a: 2 }),
      { text: 'done.' },
    ]),
    says: {
      text: 'First then done.',
      calls: [
        ['look', { a: 1 }],
        ['look', { a: 2 }],
      ],
    },
  },
  {
    what: 'arguments of every kind',
    chunks: [parts(call('look', NESTED)), ending('STOP')],
    whole: whole([call('look', NESTED)]),
    says: { calls: [['look', NESTED]] },
  },
  {
    what: 'a very long chunk',
    chunks: [{ ...whole([{ text: LONG }]) }],
    whole: whole([{ text: LONG }]),
    says: { text: LONG },
  },
  {
    what: 'all in one chunk, thinking and a call too',
    chunks: [whole([{ text: 'hm', thought: true }, { text: 'So.' }, call('look', { a: 1 }, { id: 'fc_1' })])],
    says: { text: 'So.', reasoning: 'hm', calls: [['look', { a: 1 }, 'fc_1']] },
  },
  {
    what: 'counts behind the end',
    chunks: [
      parts({ text: 'x' }),
      { candidates: [{ finishReason: 'STOP', index: 0 }], ...NAMES },
      { usageMetadata, ...NAMES },
    ],
    says: { text: 'x' },
  },
  {
    what: 'a signature behind the end',
    chunks: [parts({ text: 'x' }), ending('STOP'), { ...parts({ text: '', thoughtSignature: 'c2ln' }), usageMetadata }],
    says: { text: 'x' },
  },
  {
    what: 'a chunk that only counts, before anything',
    chunks: [
      { usageMetadata: { promptTokenCount: 11, totalTokenCount: 11 }, ...NAMES },
      parts({ text: 'x' }),
      ending('STOP'),
    ],
    says: { text: 'x' },
  },
  {
    what: 'a signed text',
    chunks: [
      parts({ text: 'one ' }),
      parts({ text: 'two', thoughtSignature: 'c2ln' }),
      parts({ text: ' three' }),
      ending('STOP'),
    ],
    whole: whole([{ text: 'one two three', thoughtSignature: 'c2ln' }]),
    says: { text: 'one two three' },
  },
  {
    what: 'calls with one id for two',
    chunks: [parts(call('look', { a: 1 }, { id: 'same' }), call('look', { a: 2 }, { id: 'same' })), ending('STOP')],
    whole: whole([call('look', { a: 1 }, { id: 'same' }), call('look', { a: 2 }, { id: 'same' })]),
    says: {
      calls: [
        ['look', { a: 1 }],
        ['look', { a: 2 }],
      ],
    },
  },
  {
    what: 'a film and a paper',
    whole: whole([
      { text: 'Here.' },
      { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } },
      { inlineData: { mimeType: 'application/pdf', data: 'JVBERi0=' } },
    ]),
    says: { text: 'Here.' },
    tells: { 'bedrock-converse': ['"video"', '"document"'] },
  },
  {
    what: 'a drawing by code',
    chunks: [
      parts({ executableCode: { language: 'PYTHON', code: 'plot()' } }),
      parts(
        { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '' } },
        { inlineData: { mimeType: 'image/png', data: PNG } },
      ),
      parts({ text: 'Drawn.' }),
      ending('STOP'),
    ],
    says: { text: 'Drawn.' },
    losses: [/content/],
  },
  {
    what: 'ratings of the prompt beside an answer',
    chunks: [
      { ...parts({ text: 'x' }), promptFeedback: { safetyRatings: RATINGS } },
      ending('STOP', { safetyRatings: RATINGS }),
    ],
    whole: whole([{ text: 'x' }], 'STOP', { safetyRatings: RATINGS }, { promptFeedback: { safetyRatings: RATINGS } }),
    says: { text: 'x' },
    losses: [/safetyRatings/],
  },
  {
    what: 'a place on a map',
    chunks: [
      parts({ text: 'x' }),
      ending('STOP', {
        groundingMetadata: {
          groundingChunks: [{ maps: { uri: 'https://maps.test/1', title: 'Café', placeId: 'places/1' } }],
          groundingSupports: [{ segment: { endIndex: 1, text: 'x' }, groundingChunkIndices: [0] }],
          googleMapsWidgetContextToken: 'w',
        },
      }),
    ],
    says: { text: 'x' },
    losses: [/groundingMetadata/],
  },
  {
    what: 'a letter in two halves',
    chunks: [parts({ text: 'a\ud83d' }), parts({ text: '\ude00b' }), ending('STOP')],
    says: { text: 'a😀b' },
  },
  {
    what: 'thinking in several parts, before and behind a call',
    chunks: [
      parts({ text: 'one ', thought: true }),
      parts(call('look', { a: 1 })),
      parts({ text: 'two', thought: true }),
      parts({ text: 'So.' }),
      ending('STOP'),
    ],
    whole: whole([
      { text: 'one ', thought: true },
      call('look', { a: 1 }),
      { text: 'two', thought: true },
      { text: 'So.' },
    ]),
    says: { text: 'So.', reasoning: 'one two', calls: [['look', { a: 1 }]] },
  },
  {
    what: 'a call at the limit',
    chunks: [parts({ text: 'x' }, call('look', { a: 1 })), ending('MAX_TOKENS')],
    whole: whole([{ text: 'x' }, call('look', { a: 1 })], 'MAX_TOKENS'),
    says: { text: 'x', kind: 'length' },
  },
];

export const MORE_GEMINIS: readonly Unrecorded[] = GEMINIS.map((one) => ({ ...one, format: 'gemini' }));
