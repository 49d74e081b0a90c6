import type { JsonObject } from '../../../src/model/json.ts';
import type { Unrecorded } from './unrecorded.ts';

const TOP = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'm' };
const usage: JsonObject = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const counted: JsonObject = { ...TOP, choices: [], usage };
const chunk = (delta: JsonObject | null, finish: string | null = null, more: JsonObject = {}): JsonObject => ({
  ...TOP,
  choices: [{ index: 0, delta, finish_reason: finish, ...more }],
});
const say = (...texts: string[]): JsonObject[] => texts.map((content) => chunk({ content }));
const opening = chunk({ role: 'assistant', content: '', refusal: null });
const stop = chunk({}, 'stop');
const called = chunk({}, 'tool_calls');
const fragment = (index: number | undefined, given: JsonObject): JsonObject =>
  chunk({ tool_calls: [{ ...(index !== undefined && { index }), ...given }] });
const args = (index: number, text: string): JsonObject => fragment(index, { function: { arguments: text } });
const begin = (index: number, id: string, name: string, input = ''): JsonObject =>
  fragment(index, { id, type: 'function', function: { name, arguments: input } });
const whole = (message: JsonObject, finish: string, more: JsonObject = {}, choice: JsonObject = {}): JsonObject => ({
  ...TOP,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: finish, ...choice }],
  usage,
  ...more,
});
const page = { url: 'https://a.test/x', title: 'A', start_index: 4, end_index: 8 };
const annotations = [{ type: 'url_citation', url_citation: page }];
const logprobs = (token: string): JsonObject => ({
  content: [
    { token, logprob: -0.25, bytes: [...Buffer.from(token)], top_logprobs: [{ token, logprob: -0.25, bytes: null }] },
  ],
  refusal: null,
});
const lines = (...chunks: (JsonObject | string)[]): string =>
  chunks.map((one) => (typeof one === 'string' ? one : `data:${JSON.stringify(one)}\r\n\r\n`)).join('');

const signed = {
  type: 'reasoning.text',
  text: 'hm ok',
  signature: 'c2lnbmVk',
  format: 'anthropic-claude-v1',
  index: 0,
};
const look = (id: string, input: JsonObject): JsonObject => ({
  id,
  type: 'function',
  function: { name: 'look', arguments: JSON.stringify(input) },
});

const CHATS: readonly Omit<Unrecorded, 'format'>[] = [
  {
    what: 'a refusal whose probabilities are told',
    chunks: [
      chunk({ role: 'assistant', content: null, refusal: '' }),
      chunk({ refusal: 'I cannot ' }, null, {
        logprobs: { content: null, refusal: [{ token: 'I', logprob: -1, bytes: null, top_logprobs: [] }] },
      }),
      chunk({ refusal: 'do that.' }),
      stop,
      counted,
    ],
    whole: whole({ refusal: 'I cannot do that.' }, 'stop'),
    says: { refusal: 'I cannot do that.', kind: 'refusal' },
  },
  {
    what: 'probabilities, a tier and a fingerprint in each chunk',
    chunks: [
      chunk({ role: 'assistant', content: '' }, null, { logprobs: { content: [], refusal: null } }),
      ...['Yes', ' 😀'].map((one) => ({
        ...chunk({ content: one }, null, { logprobs: logprobs(one) }),
        service_tier: 'default',
        system_fingerprint: 'fp_1',
        obfuscation: 'x',
      })),
      chunk({}, 'stop', { logprobs: null }),
      counted,
    ],
    whole: whole(
      { content: 'Yes 😀', refusal: null },
      'stop',
      { service_tier: 'default' },
      { logprobs: logprobs('Yes') },
    ),
    says: { text: 'Yes 😀' },
    losses: [/logprobs/, /service_tier/],
  },
  {
    what: 'pages of a web search in the last delta',
    chunks: [opening, ...say('See ', 'here.'), chunk({ annotations }), stop, counted],
    whole: whole({ content: 'See here.', annotations }, 'stop'),
    says: { text: 'See here.' },
    tells: {
      'openai-responses': ['https://a.test/x'],
      'anthropic-messages': ['https://a.test/x'],
      gemini: ['https://a.test/x'],
      'bedrock-converse': ['https://a.test/x'],
    },
  },
  {
    what: 'sound in pieces',
    chunks: [
      opening,
      chunk({ audio: { id: 'audio_1', transcript: 'Hello ' } }),
      chunk({ audio: { data: 'UklGRg==' } }),
      chunk({ audio: { transcript: 'there' } }),
      chunk({ audio: { expires_at: 1_700_000_100 } }),
      stop,
      counted,
    ],
    whole: whole(
      {
        content: null,
        audio: { id: 'audio_1', data: 'UklGRg==', transcript: 'Hello there', expires_at: 1_700_000_100 },
      },
      'stop',
    ),
    says: { text: 'Hello there', texts: { 'openai-chat': '' } },
    losses: [/content/],
    tells: { gemini: ['"mimeType":"audio/wav"', '"data":"UklGRg=="'] },
  },
  {
    what: 'two choices by turns, one of them with a call',
    chunks: [
      { ...TOP, choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] },
      { ...TOP, choices: [{ index: 1, delta: { role: 'assistant', content: 'two ' } }] },
      {
        ...TOP,
        choices: [
          { index: 1, delta: { content: 'two' } },
          { index: 0, delta: { content: 'one ' } },
        ],
      },
      {
        ...TOP,
        choices: [
          {
            index: 1,
            delta: {
              tool_calls: [{ index: 0, id: 'call_x', type: 'function', function: { name: 'look', arguments: '{}' } }],
            },
          },
        ],
      },
      { ...TOP, choices: [{ index: 1, delta: {}, finish_reason: 'tool_calls' }] },
      { ...TOP, choices: [{ index: 0, delta: { content: 'one' } }] },
      { ...TOP, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      counted,
    ],
    whole: {
      ...whole({ content: 'one one' }, 'stop'),
      choices: ['one one', 'two two'].map((content, index) => ({
        index,
        message: { role: 'assistant', content },
        finish_reason: 'stop',
      })),
    },
    says: { text: 'one one' },
    losses: [/choices/],
  },
  {
    what: 'an answer that Azure’s filter cut, behind a chunk without choices',
    chunks: [
      {
        id: '',
        object: '',
        created: 0,
        model: '',
        choices: [],
        prompt_filter_results: [
          { prompt_index: 0, content_filter_results: { hate: { filtered: false, severity: 'safe' } } },
        ],
      },
      chunk({ role: 'assistant', content: '' }, null, { content_filter_results: {} }),
      chunk({ content: 'up to ' }, null, { content_filter_results: { hate: { filtered: false, severity: 'safe' } } }),
      chunk({ content: 'here' }),
      {
        ...TOP,
        choices: [
          {
            index: 0,
            finish_reason: null,
            content_filter_results: { violence: { filtered: true, severity: 'high' } },
            content_filter_offsets: { check_offset: 1, start_offset: 1, end_offset: 9 },
          },
        ],
      },
      chunk({}, 'content_filter'),
      counted,
    ],
    whole: whole({ content: 'up to here' }, 'content_filter'),
    says: { text: 'up to here', kind: 'refusal' },
  },
  {
    what: 'arguments before the name of their call, and the id last',
    chunks: [
      opening,
      args(0, '{"a"'),
      fragment(0, { type: 'function', function: { name: 'look' } }),
      args(0, ':1'),
      fragment(0, { id: 'call_late1', function: { arguments: '}' } }),
      called,
      counted,
    ],
    says: { calls: [['look', { a: 1 }]] },
  },
  {
    what: 'parallel calls by turns, one without arguments',
    chunks: [
      opening,
      ...say('Let me '),
      begin(0, 'call_a', 'look'),
      begin(1, 'call_b', 'seek'),
      begin(2, 'call_c', 'none'),
      args(1, '{"q":"ü'),
      args(0, '{"at":['),
      args(1, '😀"'),
      args(0, '1,{"b":null}]'),
      args(1, '}'),
      args(0, '}'),
      called,
      counted,
    ],
    says: {
      text: 'Let me ',
      calls: [
        ['look', { at: [1, { b: null }] }, 'call_a'],
        ['seek', { q: 'ü😀' }, 'call_b'],
        ['none', {}, 'call_c'],
      ],
    },
  },
  {
    what: 'parallel calls that all have the index 0',
    provider: 'ollama',
    chunks: [
      chunk({ role: 'assistant', content: '', tool_calls: [{ index: 0, ...look('call_1aaaaaaaa', { a: 1 }) }] }),
      chunk({ role: 'assistant', content: '', tool_calls: [{ index: 0, ...look('call_2bbbbbbbb', { a: 2 }) }] }),
      called,
      counted,
    ],
    says: {
      calls: [
        ['look', { a: 1 }, 'call_1aaaaaaaa'],
        ['look', { a: 2 }, 'call_2bbbbbbbb'],
      ],
    },
  },
  {
    what: 'calls without an index, whole in one chunk, behind the word stop',
    chunks: [
      chunk({
        role: 'assistant',
        content: null,
        tool_calls: [look('call_1aaaaaaaa', { a: 1 }), look('call_2bbbbbbbb', {})],
      }),
      stop,
      counted,
    ],
    whole: whole({ tool_calls: [look('call_1aaaaaaaa', { a: 1 }), look('call_2bbbbbbbb', {})] }, 'stop'),
    says: {
      calls: [
        ['look', { a: 1 }],
        ['look', {}],
      ],
    },
  },
  {
    what: 'id, type and name repeated with each piece',
    chunks: [opening, ...['{"a"', ':', '[1]}'].map((text) => begin(0, 'call_same', 'look', text)), called, counted],
    says: { calls: [['look', { a: [1] }, 'call_same']] },
  },
  {
    what: 'null and empty names and ids in later pieces',
    chunks: [
      opening,
      begin(0, 'call_nul', 'look'),
      fragment(0, { id: null, type: null, function: { name: null, arguments: '{"a"' } }),
      fragment(0, { id: '', type: 'function', function: { name: '', arguments: ':1}' } }),
      called,
      counted,
    ],
    says: { calls: [['look', { a: 1 }, 'call_nul']] },
  },
  {
    what: 'arguments as an object',
    chunks: [
      fragment(0, { id: 'call_obj', type: 'function', function: { name: 'look', arguments: { a: 1 } } }),
      called,
      counted,
    ],
    whole: whole(
      { tool_calls: [{ id: 'call_obj', type: 'function', function: { name: 'look', arguments: { a: 1 } } }] },
      'tool_calls',
    ),
    says: { calls: [['look', { a: 1 }, 'call_obj']] },
  },
  {
    what: 'a call of a custom tool',
    chunks: [
      opening,
      fragment(0, { id: 'call_cust', type: 'custom', custom: { name: 'patch', input: '' } }),
      fragment(0, { custom: { input: '*** Begin ' } }),
      fragment(0, { custom: { input: '"Patch"' } }),
      called,
      counted,
    ],
    whole: whole(
      { tool_calls: [{ id: 'call_cust', type: 'custom', custom: { name: 'patch', input: '*** Begin "Patch"' } }] },
      'tool_calls',
    ),
    says: { calls: [['patch', { input: '*** Begin "Patch"' }, 'call_cust']] },
  },
  {
    what: 'thinking in details of Claude’s, signed at the end',
    provider: 'openrouter',
    chunks: [
      chunk({
        role: 'assistant',
        content: '',
        reasoning: 'hm ',
        reasoning_details: [{ ...signed, text: 'hm ', signature: undefined }],
      }),
      chunk({
        role: 'assistant',
        content: '',
        reasoning: 'ok',
        reasoning_details: [{ ...signed, text: 'ok', signature: null }],
      }),
      chunk({
        role: 'assistant',
        content: '',
        reasoning: null,
        reasoning_details: [{ type: 'reasoning.text', signature: 'c2lnbmVk', format: 'anthropic-claude-v1', index: 0 }],
      }),
      chunk({ role: 'assistant', content: 'So.', native_finish_reason: null }),
      chunk({ role: 'assistant', content: '' }, 'stop', { native_finish_reason: 'end_turn' }),
      {
        ...counted,
        choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
        provider: 'Anthropic',
        usage: {
          ...usage,
          cost: 0.01,
          prompt_tokens_details: { cached_tokens: 3 },
          completion_tokens_details: { reasoning_tokens: 4 },
        },
      },
    ],
    whole: whole({ content: 'So.', reasoning: 'hm ok', reasoning_details: [signed] }, 'stop', {
      usage: {
        ...usage,
        prompt_tokens_details: { cached_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 4 },
      },
    }),
    says: { text: 'So.', reasoning: 'hm ok', usage: { cacheRead: 3, reasoning: 4 } },
    tells: { 'anthropic-messages': ['hm ok'] },
  },
  {
    what: 'summaries and sealed thinking in details without a text beside them',
    provider: 'openrouter',
    chunks: [
      chunk({
        role: 'assistant',
        content: '',
        reasoning_details: [{ type: 'reasoning.summary', summary: '**Look', format: 'openai-responses-v1', index: 0 }],
      }),
      chunk({
        content: '',
        reasoning_details: [{ type: 'reasoning.summary', summary: 'ing**', format: 'openai-responses-v1', index: 0 }],
      }),
      chunk({
        content: '',
        reasoning_details: [
          { type: 'reasoning.encrypted', data: 'c2VhbA==', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
        ],
      }),
      chunk({ content: 'So.' }),
      stop,
      counted,
    ],
    says: { text: 'So.', reasoning: '**Looking**' },
  },
  {
    what: 'thinking of DeepSeek’s, calls behind it, and hits of its cache',
    provider: 'deepseek',
    chunks: [
      chunk({ role: 'assistant', content: null, reasoning_content: '' }),
      chunk({ content: null, reasoning_content: 'hm ' }),
      chunk({ content: null, reasoning_content: 'ok' }),
      chunk({ content: 'So ', reasoning_content: null }),
      begin(0, 'call_00_abcdefgh', 'look'),
      args(0, '{"a":1}'),
      {
        ...chunk({ content: '', reasoning_content: null }, 'tool_calls'),
        usage: {
          ...usage,
          prompt_cache_hit_tokens: 4,
          prompt_cache_miss_tokens: 7,
          completion_tokens_details: { reasoning_tokens: 2 },
        },
      },
    ],
    says: { text: 'So ', reasoning: 'hm ok', calls: [['look', { a: 1 }]], usage: { cacheRead: 4, reasoning: 2 } },
  },
  {
    what: 'what Groq’s compound systems ran, counts in x_groq',
    provider: 'groq',
    chunks: [
      { ...chunk({ role: 'assistant', content: '' }), x_groq: { id: 'req_1' } },
      chunk({ reasoning: 'hm' }),
      chunk({
        executed_tools: [
          { index: 0, type: 'search', arguments: '{"query":"x"}', output: 'y', search_results: { results: [] } },
        ],
      }),
      chunk({ content: 'Found.' }),
      { ...stop, x_groq: { id: 'req_1', usage } },
    ],
    whole: whole(
      {
        content: 'Found.',
        reasoning: 'hm',
        executed_tools: [{ index: 0, type: 'search', arguments: '{"query":"x"}', output: 'y' }],
      },
      'stop',
    ),
    says: { text: 'Found.', reasoning: 'hm' },
    losses: [/executed_tools/],
  },
  {
    what: 'vLLM’s fields, its role and its counts in each chunk',
    chunks: [
      ...['', 'It ', 'is.'].map((content, at) => ({
        ...chunk({ role: 'assistant', content, reasoning_content: null, reasoning: null, tool_calls: [] }, null, {
          logprobs: null,
          stop_reason: null,
          token_ids: null,
        }),
        prompt_token_ids: null,
        usage: { prompt_tokens: 11, completion_tokens: at, total_tokens: 11 + at, prompt_tokens_details: null },
      })),
      { ...chunk({ content: '', reasoning_content: null }, 'stop', { stop_reason: 151_645 }), usage: null },
      counted,
    ],
    whole: whole(
      {
        content: 'It is.',
        refusal: null,
        annotations: null,
        audio: null,
        function_call: null,
        tool_calls: [],
        reasoning_content: null,
      },
      'stop',
      {
        prompt_logprobs: null,
        kv_transfer_params: null,
        usage: { ...usage, prompt_tokens_details: null },
      },
    ),
    says: { text: 'It is.' },
  },
  {
    what: 'no counts at all',
    chunks: [opening, ...say('x'), stop],
    whole: { ...whole({ content: 'x' }, 'stop'), usage: null },
    says: { text: 'x', usage: { input: 0, output: 0 } },
  },
  {
    what: 'deltas of null, and none',
    chunks: [
      chunk(null),
      chunk({ content: null, tool_calls: null, function_call: null, refusal: null, audio: null }),
      ...say('x'),
      { ...TOP, choices: [{ index: 0, finish_reason: null }] },
      { ...TOP, choices: [{ index: 0, delta: null, finish_reason: 'stop' }] },
      counted,
    ],
    says: { text: 'x' },
  },
  {
    what: 'the call of old',
    chunks: [
      opening,
      chunk({ function_call: { name: 'look', arguments: '' } }),
      chunk({ function_call: { arguments: '{"a"' } }),
      chunk({ function_call: { arguments: ':1}' } }),
      chunk({}, 'function_call'),
      counted,
    ],
    whole: whole({ function_call: { name: 'look', arguments: '{"a":1}' } }, 'function_call'),
    says: { calls: [['look', { a: 1 }]] },
  },
  {
    what: 'comments, CRLF, no space behind the colon, and no last line',
    chunks: lines(
      ': PROCESSING\r\n\r\n',
      opening,
      'event: message\r\nid: 7\r\nretry: 10\r\n',
      ...say('x 😀'),
      ': keep\r\n\r\n',
      stop,
      { ...counted },
    ),
    says: { text: 'x 😀' },
  },
  {
    what: 'an emoji in two halves',
    chunks: [opening, ...say('a \ud83d', '\ude00 b'), stop, counted],
    says: { text: 'a 😀 b' },
  },
  {
    what: 'separators, controls and markup',
    chunks: [opening, ...say('a\u2028b\u0000c</script>\n\ndata: x\r\n\r\n', '[DONE]'), stop, counted],
    says: { text: 'a\u2028b\u0000c</script>\n\ndata: x\r\n\r\n[DONE]' },
  },
  {
    what: 'an error in the middle, as OpenRouter tells it',
    provider: 'openrouter',
    chunks: [
      opening,
      ...say('x'),
      {
        ...chunk({ content: '' }, 'error'),
        error: { code: 502, message: 'Provider returned error', metadata: { provider_name: 'X' } },
      },
    ],
    says: { fails: undefined },
  },
  {
    what: 'an error in place of the answer, in a good status',
    chunks: [{ error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } }],
    whole: { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } },
    says: { fails: 429 },
  },
  {
    what: 'a picture',
    provider: 'openrouter',
    chunks: [
      opening,
      ...say('Here.'),
      chunk({ images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' }, index: 0 }] }),
      stop,
      counted,
    ],
    whole: whole(
      { content: 'Here.', images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }] },
      'stop',
    ),
    says: { text: 'Here.' },
    tells: { gemini: ['iVBORw0KGgo='] },
  },
  {
    what: 'references among the content of Mistral',
    provider: 'mistral',
    chunks: [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }], closed: true }] }),
      chunk({
        content: [
          { type: 'text', text: 'It is' },
          { type: 'reference', reference_ids: [0] },
        ],
      }),
      chunk({ content: '.' }, 'stop'),
      counted,
    ],
    says: { text: 'It is.', reasoning: 'hm' },
    losses: [/content/],
  },
  {
    what: 'a word for its end behind its end',
    chunks: [opening, begin(0, 'call_twice', 'look', '{}'), called, stop, counted],
    says: { calls: [['look', {}, 'call_twice']] },
  },
  {
    what: 'a signature of Gemini’s on a call',
    chunks: [
      fragment(0, {
        id: 'function-call-1',
        type: 'function',
        extra_content: { google: { thought_signature: 'c2lnbmVk' } },
        function: { name: 'look', arguments: '{"a":1}' },
      }),
      called,
      counted,
    ],
    whole: whole(
      {
        tool_calls: [
          { ...look('function-call-1', { a: 1 }), extra_content: { google: { thought_signature: 'c2lnbmVk' } } },
        ],
      },
      'tool_calls',
    ),
    says: { calls: [['look', { a: 1 }]] },
  },
  {
    what: 'the limit in the middle of a call',
    chunks: [opening, begin(0, 'call_cut', 'look'), args(0, '{"a":[1,'), chunk({}, 'length'), counted],
    says: { kind: 'length' },
  },
  {
    what: 'reasoning outside of completion_tokens',
    provider: 'xai',
    chunks: [
      opening,
      chunk({ reasoning_content: 'hm' }),
      ...say('x'),
      stop,
      {
        ...counted,
        usage: {
          prompt_tokens: 11,
          completion_tokens: 7,
          total_tokens: 23,
          completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 0 },
          num_sources_used: 0,
        },
      },
    ],
    says: { text: 'x', reasoning: 'hm', usage: { output: 12, reasoning: 5 } },
  },
  {
    what: 'nothing',
    chunks: [opening, stop, counted],
    whole: whole({ content: '' }, 'stop'),
    says: {},
  },
  {
    what: 'thinking only, up to the limit',
    chunks: [
      chunk({ role: 'assistant', reasoning_content: 'hm ' }),
      chunk({ reasoning_content: 'hm' }),
      chunk({}, 'length'),
      counted,
    ],
    whole: whole({ content: null, reasoning_content: 'hm hm' }, 'length'),
    says: { reasoning: 'hm hm', kind: 'length' },
  },
];

export const UNRECORDED_CHATS: readonly Unrecorded[] = CHATS.map((one) => ({ ...one, format: 'openai-chat' }));
