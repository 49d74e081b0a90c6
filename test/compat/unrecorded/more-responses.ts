import type { JsonObject } from '../../../src/model/json.ts';
import { added, done, ended, message, opening, response, said, speaking } from './responses.ts';
import type { Unrecorded } from './unrecorded.ts';

const thought = (id: string, text: string): JsonObject => ({
  type: 'reasoning',
  id,
  summary: [{ type: 'summary_text', text }],
  encrypted_content: 'c2VhbA==',
});
const called = (n: number, args: string): JsonObject => ({
  type: 'function_call',
  id: `fc_${n}`,
  call_id: `call_${n}`,
  name: 'look',
  arguments: args,
  status: 'completed',
});
const begun = (item: JsonObject): JsonObject => ({ ...item, arguments: '', status: 'in_progress' });
const args = (at: number, item: JsonObject, delta: string): JsonObject => ({
  type: 'response.function_call_arguments.delta',
  output_index: at,
  item_id: item.id ?? null,
  delta,
});
const [ONE, TWO] = [called(1, '{"a":1}'), called(2, '{"b":[2]}')];
const [HM, OK] = [thought('rs_1', 'hm '), thought('rs_2', 'ok')];
const DONE = message('msg_9', said('Done.'));
const LONG = 'A long line of text, é😀. '.repeat(8_000);
const drawn = (id: string, result: string): JsonObject => ({
  type: 'image_generation_call',
  id,
  status: 'completed',
  result,
  output_format: 'webp',
});
const LIKELY: JsonObject = {
  ...said('It is.'),
  logprobs: [{ token: 'It', logprob: -0.1, bytes: [73, 116], top_logprobs: [] }],
};

/** Items that come whole, one after the other. */
const inOrder = (...items: JsonObject[]): JsonObject[] => [
  ...opening,
  ...items.flatMap((item, at) => [added(at, item), done(at, item)]),
  ended(items),
];
const plain = (what: string, items: JsonObject[], more: Pick<Unrecorded, 'says'> & Partial<Unrecorded>) => ({
  what,
  chunks: inOrder(...items),
  whole: response('completed', items),
  ...more,
});

const RESPONSES: readonly Omit<Unrecorded, 'format'>[] = [
  plain('thinking between calls', [HM, ONE, OK, TWO], {
    says: {
      reasoning: 'hm ok',
      calls: [
        ['look', { a: 1 }, 'call_1'],
        ['look', { b: [2] }, 'call_2'],
      ],
    },
  }),
  {
    what: 'calls whose arguments come by turns',
    chunks: [
      ...opening,
      added(0, begun(ONE)),
      args(0, ONE, '{"a'),
      added(1, begun(TWO)),
      args(1, TWO, '{"b":'),
      args(0, ONE, '":1'),
      args(1, TWO, '[2]'),
      args(0, ONE, '}'),
      args(1, TWO, '}'),
      done(1, TWO),
      done(0, ONE),
      ended([ONE, TWO]),
    ],
    says: {
      calls: [
        ['look', { a: 1 }, 'call_1'],
        ['look', { b: [2] }, 'call_2'],
      ],
    },
  },
  plain('calls without arguments', [called(1, ''), called(2, '{}')], {
    says: {
      calls: [
        ['look', {}, 'call_1'],
        ['look', {}, 'call_2'],
      ],
    },
  }),
  plain(
    'a text and a refusal in one message',
    [message('msg_1', said('Well. '), { type: 'refusal', refusal: 'No.' })],
    {
      says: { text: 'Well. ', refusal: 'No.', kind: 'refusal' },
    },
  ),
  plain('several texts in one message', [message('msg_1', said('a '), said('b '), said('c'))], {
    says: { text: 'a b c' },
  }),
  plain('probabilities of its words', [message('msg_1', LIKELY)], { says: { text: 'It is.' }, losses: [/logprobs/] }),
  plain('nothing but white space', [message('msg_1', said('\n \n'))], { says: { text: '\n \n' } }),
  {
    what: 'a very long delta',
    chunks: [...opening, ...speaking(0, message('msg_1', said(LONG)), LONG), ended([message('msg_1', said(LONG))])],
    whole: response('completed', [message('msg_1', said(LONG))]),
    says: { text: LONG },
  },
  {
    what: 'a letter in two halves',
    chunks: [
      ...opening,
      ...speaking(0, message('msg_1', said('a😀b')), 'a\ud83d', '\ude00b'),
      ended([message('msg_1', said('a😀b'))]),
    ],
    says: { text: 'a😀b' },
  },
  {
    what: 'a text that is told only when it is done',
    chunks: [
      ...opening,
      added(0, message('msg_9')),
      { type: 'response.output_text.done', item_id: 'msg_9', output_index: 0, content_index: 0, text: 'Done.' },
      done(0, DONE),
      ended([DONE]),
    ],
    says: { text: 'Done.' },
  },
  {
    what: 'nothing but its end',
    chunks: [ended([HM, DONE, ONE])],
    says: { text: 'Done.', reasoning: 'hm ', calls: [['look', { a: 1 }, 'call_1']] },
  },
  {
    what: 'events that nobody knows',
    chunks: [
      opening[0] ?? {},
      { type: 'response.keepalive', sequence_number: 1 },
      ...speaking(0, DONE, 'Do', 'ne.').flatMap((event) => [event, { type: 'response.new_thing.delta', delta: 'x' }]),
      { type: 'response.rate_limits.updated', rate_limits: [] },
      ended([DONE]),
    ],
    says: { text: 'Done.' },
  },
  plain('thinking and nothing else', [HM], { says: { reasoning: 'hm ' } }),
  plain('a message without content', [message('msg_1'), DONE], { says: { text: 'Done.' } }),
  plain('two pictures', [drawn('ig_1', 'UklGRg=='), DONE, drawn('ig_2', 'UklGRgA=')], {
    says: { text: 'Done.' },
    tells: {
      'openai-chat': ['data:image/webp;base64,UklGRg==', 'data:image/webp;base64,UklGRgA='],
      gemini: ['"mimeType":"image/webp","data":"UklGRg=="', '"data":"UklGRgA="'],
      'bedrock-converse': ['"format":"webp"', 'UklGRgA='],
    },
  }),
  plain(
    'a picture that failed',
    [{ type: 'image_generation_call', id: 'ig_1', status: 'failed', result: null }, DONE],
    {
      says: { text: 'Done.' },
      losses: [/content/],
    },
  ),
  plain('content that nobody knows', [message('msg_1', { type: 'output_hologram', depth: 3 }, said('Done.'))], {
    says: { text: 'Done.' },
    losses: [/content/],
  }),
  plain('thinking in words and in short', [{ ...HM, content: [{ type: 'reasoning_text', text: 'ok' }] }, DONE], {
    says: { text: 'Done.', reasoning: 'hm ok' },
  }),
  {
    what: 'a call at the limit',
    chunks: [
      ...opening,
      added(0, begun(ONE)),
      args(0, ONE, '{"a":'),
      done(0, { ...ONE, arguments: '{"a":', status: 'incomplete' }),
      ended([{ ...ONE, arguments: '{"a":', status: 'incomplete' }], 'incomplete', {
        incomplete_details: { reason: 'max_output_tokens' },
      }),
    ],
    whole: response('incomplete', [{ ...ONE, arguments: '{"a":', status: 'incomplete' }], {
      incomplete_details: { reason: 'max_output_tokens' },
    }),
    says: { kind: 'length' },
  },
  {
    what: 'no counts',
    chunks: [...opening, ...speaking(0, DONE, 'Done.'), ended([DONE], 'completed', { usage: null })],
    whole: response('completed', [DONE], { usage: null }),
    says: { text: 'Done.', usage: { input: 0, output: 0 } },
  },
];

export const MORE_RESPONSES: readonly Unrecorded[] = RESPONSES.map((one) => ({ ...one, format: 'openai-responses' }));
