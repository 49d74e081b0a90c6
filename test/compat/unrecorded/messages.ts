import type { JsonObject } from '../../../src/model/json.ts';
import type { Unrecorded } from './unrecorded.ts';

const usage: JsonObject = { input_tokens: 11, output_tokens: 1 };
const opened = (more: JsonObject = {}): JsonObject => ({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
    ...more,
  },
});
const closed = (stop_reason: string, delta: JsonObject = {}, more: JsonObject = {}): JsonObject[] => [
  {
    type: 'message_delta',
    delta: { stop_reason, stop_sequence: null, ...delta },
    usage: { output_tokens: 7 },
    ...more,
  },
  { type: 'message_stop' },
];
const block = (index: number, content_block: JsonObject, ...deltas: JsonObject[]): JsonObject[] => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
const text = (words: string): JsonObject => ({ type: 'text_delta', text: words });
const json = (partial_json: string): JsonObject => ({ type: 'input_json_delta', partial_json });
const texts = (index: number, ...words: string[]): JsonObject[] =>
  block(index, { type: 'text', text: '' }, ...words.map(text));
const whole = (content: JsonObject[], stop_reason = 'end_turn', more: JsonObject = {}): JsonObject => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content,
  stop_reason,
  stop_sequence: null,
  usage: { input_tokens: 11, output_tokens: 7 },
  ...more,
});

/** A server tool's call, its result and a text behind it, streamed and whole. */
function ran(name: string, result: JsonObject, more: JsonObject = {}): Pick<Unrecorded, 'chunks' | 'whole' | 'says'> {
  const use = { type: 'server_tool_use', id: 'srvtoolu_1', name };
  return {
    chunks: [
      opened(),
      ...texts(0, 'Let me. '),
      ...block(1, { ...use, input: {} }, json(''), json('{"query"'), json(':"x"}')),
      ...block(2, { ...result, tool_use_id: 'srvtoolu_1' }),
      ...texts(3, 'Done.'),
      ...closed('end_turn', {}, more),
    ],
    whole: whole(
      [
        { type: 'text', text: 'Let me. ' },
        { ...use, input: { query: 'x' } },
        { ...result, tool_use_id: 'srvtoolu_1' },
        { type: 'text', text: 'Done.' },
      ],
      'end_turn',
      more,
    ),
    says: { text: 'Let me. Done.' },
  };
}
const failed = (type: string, code: string): JsonObject => ({
  type: `${type}_tool_result`,
  content: { type: `${type}_tool_result_error`, error_code: code },
});

const RESULTS: readonly (readonly [name: string, result: JsonObject])[] = [
  [
    'web_search',
    {
      type: 'web_search_tool_result',
      content: [
        { type: 'web_search_result', title: 'A', url: 'https://a.test', encrypted_content: 'ZW5j', page_age: null },
      ],
    },
  ],
  ['web_search', failed('web_search', 'max_uses_exceeded')],
  [
    'web_fetch',
    {
      type: 'web_fetch_tool_result',
      content: {
        type: 'web_fetch_result',
        url: 'https://a.test',
        retrieved_at: '2026-01-01T00:00:00Z',
        content: {
          type: 'document',
          title: 'A',
          citations: { enabled: true },
          source: { type: 'text', media_type: 'text/plain', data: 'words' },
        },
      },
    },
  ],
  ['web_fetch', failed('web_fetch', 'url_not_accessible')],
  [
    'code_execution',
    {
      type: 'code_execution_tool_result',
      content: {
        type: 'code_execution_result',
        stdout: '1\n',
        stderr: '',
        return_code: 0,
        content: [{ type: 'code_execution_output', file_id: 'file_1' }],
      },
    },
  ],
  [
    'code_execution',
    {
      type: 'code_execution_tool_result',
      content: {
        type: 'encrypted_code_execution_result',
        encrypted_stdout: 'ZW5j',
        stderr: '',
        return_code: 0,
        content: [],
      },
    },
  ],
  [
    'bash_code_execution',
    {
      type: 'bash_code_execution_tool_result',
      content: { type: 'bash_code_execution_result', stdout: '1\n', stderr: '', return_code: 0, content: [] },
    },
  ],
  ['bash_code_execution', failed('bash_code_execution', 'execution_time_exceeded')],
  [
    'text_editor_code_execution',
    {
      type: 'text_editor_code_execution_tool_result',
      content: {
        type: 'text_editor_code_execution_view_result',
        file_type: 'text',
        content: 'words',
        num_lines: 1,
        start_line: 1,
        total_lines: 1,
      },
    },
  ],
  [
    'text_editor_code_execution',
    {
      type: 'text_editor_code_execution_tool_result',
      content: {
        type: 'text_editor_code_execution_tool_result_error',
        error_code: 'file_not_found',
        error_message: 'none',
      },
    },
  ],
  [
    'tool_search_tool_regex',
    {
      type: 'tool_search_tool_result',
      content: {
        type: 'tool_search_tool_search_result',
        tool_references: [{ type: 'tool_reference', tool_name: 'look' }],
      },
    },
  ],
  [
    'tool_search_tool_bm25',
    {
      type: 'tool_search_tool_result',
      content: { type: 'tool_search_tool_result_error', error_code: 'invalid_pattern' },
    },
  ],
];

const cite = (citation: JsonObject): JsonObject => ({ type: 'citations_delta', citation });
const CITATIONS: readonly JsonObject[] = [
  {
    type: 'char_location',
    cited_text: 'w',
    document_index: 0,
    document_title: 'Doc',
    start_char_index: 0,
    end_char_index: 1,
    file_id: null,
  },
  {
    type: 'page_location',
    cited_text: 'w',
    document_index: 0,
    document_title: 'Doc',
    start_page_number: 1,
    end_page_number: 2,
  },
  {
    type: 'content_block_location',
    cited_text: 'w',
    document_index: 0,
    document_title: null,
    start_block_index: 0,
    end_block_index: 1,
  },
  { type: 'web_search_result_location', cited_text: 'w', url: 'https://a.test', title: 'A', encrypted_index: 'ZW5j' },
  {
    type: 'search_result_location',
    cited_text: 'w',
    source: 'https://b.test',
    title: 'B',
    search_result_index: 0,
    start_block_index: 0,
    end_block_index: 1,
  },
];

const MESSAGES: readonly Omit<Unrecorded, 'format'>[] = [
  ...RESULTS.map(([name, result], at) => ({
    what: `${name} with result ${at}`,
    ...ran(name, result, {
      usage: { input_tokens: 11, output_tokens: 7, server_tool_use: { web_search_requests: 1 } },
    }),
    losses: [/content/],
  })),
  {
    what: 'hidden thinking between thinking, and calls between both',
    chunks: [
      opened(),
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'a' },
        { type: 'signature_delta', signature: 'c2ln' },
      ),
      ...block(1, { type: 'redacted_thinking', data: 'cmVk' }),
      ...block(
        2,
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: {}, caller: { type: 'direct' } },
        json('{"a":'),
        json('1}'),
      ),
      ...block(
        3,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'signature_delta', signature: 'b25seQ==' },
      ),
      ...block(4, { type: 'tool_use', id: 'toolu_2', name: 'none', input: {} }, json('')),
      ...closed('tool_use'),
    ],
    whole: whole(
      [
        { type: 'thinking', thinking: 'a', signature: 'c2ln' },
        { type: 'redacted_thinking', data: 'cmVk' },
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: { a: 1 } },
        { type: 'thinking', thinking: '', signature: 'b25seQ==' },
        { type: 'tool_use', id: 'toolu_2', name: 'none', input: {} },
      ],
      'tool_use',
    ),
    says: {
      reasoning: 'a',
      calls: [
        ['look', { a: 1 }, 'toolu_1'],
        ['none', {}, 'toolu_2'],
      ],
    },
  },
  {
    what: 'citations of all kinds',
    chunks: [
      opened(),
      ...texts(0, 'It says '),
      ...CITATIONS.flatMap((one, at) =>
        block(at + 1, { type: 'text', text: '', citations: [] }, text(`w${at}`), cite(one)),
      ),
      ...closed('end_turn'),
    ],
    whole: whole([
      { type: 'text', text: 'It says ' },
      ...CITATIONS.map((one, at) => ({ type: 'text', text: `w${at}`, citations: [one] })),
    ]),
    says: { text: 'It says w0w1w2w3w4' },
    tells: {
      'openai-chat': ['https://a.test', 'https://b.test'],
      'openai-responses': ['https://a.test', 'https://b.test'],
      gemini: ['https://a.test', 'https://b.test'],
      'bedrock-converse': ['https://a.test', 'https://b.test', 'documentChar', 'documentPage', 'documentChunk'],
    },
  },
  {
    what: 'a call of a server of MCP',
    chunks: [
      opened(),
      ...block(
        0,
        { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'echo', server_name: 'ref', input: {} },
        json('{"x":1}'),
      ),
      ...block(1, {
        type: 'mcp_tool_result',
        tool_use_id: 'mcptoolu_1',
        is_error: false,
        content: [{ type: 'text', text: 'one' }],
      }),
      ...texts(2, 'Done.'),
      ...closed('end_turn'),
    ],
    says: { text: 'Done.' },
    losses: [/content/],
  },
  {
    what: 'a pause',
    chunks: [
      opened(),
      ...texts(0, 'wait'),
      ...block(1, { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }, json('{"query":"x"}')),
      ...closed('pause_turn'),
    ],
    says: { text: 'wait', kind: 'pause' },
    losses: [/content/],
  },
  {
    what: 'a refusal with its reasons',
    chunks: [
      opened(),
      ...texts(0, 'I '),
      ...closed('refusal', { stop_details: { type: 'refusal', category: 'cyber', explanation: 'because' } }),
    ],
    whole: whole([{ type: 'text', text: 'I ' }], 'refusal', {
      stop_details: { type: 'refusal', category: 'cyber', explanation: 'because' },
    }),
    says: { text: 'I ', kind: 'refusal' },
    losses: [/stop_details/],
  },
  {
    what: 'a refusal of nothing',
    chunks: [opened(), ...closed('refusal')],
    whole: whole([], 'refusal'),
    says: { kind: 'refusal' },
  },
  {
    what: 'a full context',
    chunks: [opened(), ...texts(0, 'too'), ...closed('model_context_window_exceeded')],
    says: { text: 'too', kind: 'context-exceeded' },
  },
  {
    what: 'a stop sequence',
    chunks: [opened(), ...texts(0, 'x'), ...closed('stop_sequence', { stop_sequence: 'END' })],
    says: { text: 'x', kind: 'stop-sequence' },
  },
  {
    what: 'pings and events that nobody knows, at odd places',
    chunks: [
      { type: 'ping' },
      opened(),
      { type: 'ping' },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta: text('x ') },
      { type: 'tomorrow', index: 0, what: 'ever' },
      { type: 'content_block_delta', index: 0, delta: { type: 'tomorrow_delta', tomorrow: 'y' } },
      { type: 'content_block_delta', index: 0, delta: text('é😀') },
      { type: 'ping' },
      { type: 'content_block_stop', index: 0 },
      { type: 'ping' },
      ...closed('end_turn'),
      { type: 'ping' },
    ],
    says: { text: 'x é😀' },
  },
  {
    what: 'an overload in the middle',
    chunks: [
      opened(),
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: text('x') },
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    ],
    says: { fails: undefined },
  },
  {
    what: 'an overload before anything',
    chunks: [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' }],
    says: { fails: 503 },
  },
  {
    what: 'writes of the cache by their times, all counts again at the end',
    chunks: [
      opened({
        usage: {
          input_tokens: 3,
          cache_creation_input_tokens: 5,
          cache_read_input_tokens: 3,
          cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 3 },
          output_tokens: 1,
          service_tier: 'standard',
          inference_geo: 'us',
        },
      }),
      ...texts(0, 'x'),
      ...closed(
        'end_turn',
        {},
        {
          usage: {
            input_tokens: 5,
            cache_creation_input_tokens: 5,
            cache_read_input_tokens: 6,
            output_tokens: 7,
            server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
            iterations: null,
          },
        },
      ),
    ],
    says: { text: 'x', usage: { input: 16, output: 7, cacheRead: 6 } },
  },
  {
    what: 'counts of null at the end',
    chunks: [
      opened({
        usage: { input_tokens: 8, cache_creation_input_tokens: null, cache_read_input_tokens: 3, output_tokens: 1 },
      }),
      ...texts(0, 'x'),
      ...closed(
        'end_turn',
        {},
        {
          usage: {
            input_tokens: null,
            cache_creation_input_tokens: null,
            cache_read_input_tokens: null,
            output_tokens: 7,
          },
        },
      ),
    ],
    says: { text: 'x', usage: { cacheRead: 3 } },
  },
  {
    what: 'blocks that nobody knows',
    chunks: [
      opened(),
      ...block(0, { type: 'tomorrow', what: 'ever' }, { type: 'tomorrow_delta', more: 'x' }),
      ...texts(1, 'x'),
      ...block(2, { type: 'compaction', content: null }, { type: 'compaction_delta', content: 'summary of all' }),
      ...closed(
        'end_turn',
        { container: { id: 'container_1', expires_at: '2026-01-01T00:00:00Z' } },
        {
          context_management: {
            applied_edits: [{ type: 'clear_tool_uses_20250919', cleared_tool_uses: 1, cleared_input_tokens: 9 }],
          },
        },
      ),
    ],
    says: { text: 'x' },
    losses: [/content/, /container/, /context_management/],
  },
  {
    what: 'arguments that are no JSON, at the limit',
    chunks: [
      opened(),
      ...block(0, { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }, json('{"a": "unfinis')),
      ...closed('max_tokens'),
    ],
    says: { kind: 'length' },
  },
  {
    what: 'a signature in pieces, and texts that are empty',
    chunks: [
      opened(),
      ...block(
        0,
        { type: 'thinking', thinking: 'h', signature: '' },
        { type: 'thinking_delta', thinking: '' },
        { type: 'thinking_delta', thinking: 'm' },
        { type: 'signature_delta', signature: 'c2ln' },
        { type: 'signature_delta', signature: 'bmVk' },
      ),
      ...texts(1, ''),
      ...texts(2),
      ...texts(3, 'x'),
      ...closed('end_turn'),
    ],
    says: { reasoning: 'hm', text: 'x' },
  },
];

export const UNRECORDED_MESSAGES: readonly Unrecorded[] = MESSAGES.map((one) => ({
  ...one,
  format: 'anthropic-messages',
}));
