import type { JsonObject } from '../../../src/model/json.ts';
import type { Said, Unrecorded } from './unrecorded.ts';

const usage: JsonObject = {
  input_tokens: 11,
  output_tokens: 7,
  total_tokens: 18,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens_details: { reasoning_tokens: 0 },
};
export const response = (status: string, output: JsonObject[], more: JsonObject = {}): JsonObject => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1_700_000_000,
  status,
  background: false,
  error: null,
  incomplete_details: null,
  model: 'm',
  output,
  parallel_tool_calls: true,
  tool_choice: 'auto',
  tools: [],
  usage: status === 'in_progress' ? null : usage,
  ...more,
});
export const opening: readonly JsonObject[] = [
  { type: 'response.created', response: response('in_progress', []) },
  { type: 'response.in_progress', response: response('in_progress', []) },
];
export const added = (output_index: number, item: JsonObject): JsonObject => ({
  type: 'response.output_item.added',
  output_index,
  item,
});
export const done = (output_index: number, item: JsonObject): JsonObject => ({
  type: 'response.output_item.done',
  output_index,
  item,
});
export const ended = (output: JsonObject[], status = 'completed', more: JsonObject = {}): JsonObject => ({
  type: `response.${status}`,
  response: response(status, output, more),
});
export const said = (text: string, annotations: JsonObject[] = []): JsonObject => ({
  type: 'output_text',
  text,
  annotations,
  logprobs: [],
});
export const message = (id: string, ...content: JsonObject[]): JsonObject => ({
  type: 'message',
  id,
  role: 'assistant',
  status: 'completed',
  content,
});

/** A message as it grows. */
export function speaking(at: number, item: JsonObject, ...deltas: string[]): JsonObject[] {
  const place = { item_id: item.id, output_index: at, content_index: 0 };
  const [part] = item.content as JsonObject[];
  const kind = part?.type === 'refusal' ? 'refusal' : 'output_text';
  return [
    added(at, { ...item, status: 'in_progress', content: [] }),
    {
      type: 'response.content_part.added',
      ...place,
      part: kind === 'refusal' ? { type: kind, refusal: '' } : said(''),
    },
    ...deltas.map((delta) => ({
      type: `response.${kind}.delta`,
      ...place,
      delta,
      ...(kind === 'output_text' && { logprobs: [], obfuscation: 'xx' }),
    })),
    {
      type: `response.${kind}.done`,
      ...place,
      ...(kind === 'refusal' ? { refusal: deltas.join('') } : { text: deltas.join(''), logprobs: [] }),
    },
    { type: 'response.content_part.done', ...place, part: part ?? {} },
    done(at, item),
  ];
}

/** Those that the API looks at in what comes back. */
const PREFIXES: Readonly<Record<string, string>> = { message: 'msg', reasoning: 'rs', function_call: 'fc' };

const ANSWER = message('msg_9', said('Done.'));
/** An item of some kind and a text behind it, as it is streamed (with events of its own) and whole. */
function beside(
  what: string,
  given: JsonObject,
  itsEvents: JsonObject[] = [],
  more: Partial<Unrecorded> = {},
): Omit<Unrecorded, 'format'> {
  const id = `${PREFIXES[String(given.type)] ?? 'x'}_1`;
  const item = { ...given, id };
  const events = itsEvents.map((event) => (event.item_id === undefined ? event : { ...event, item_id: id }));
  return {
    what,
    chunks: [
      ...opening,
      added(0, { ...item, status: 'in_progress' }),
      ...events,
      done(0, item),
      ...speaking(1, ANSWER, 'Do', 'ne.'),
      ended([item, ANSWER]),
    ],
    whole: response('completed', [item, ANSWER]),
    says: { text: 'Done.' },
    losses: [/content/],
    ...more,
  };
}
const called = (...calls: NonNullable<Said['calls']>): Partial<Unrecorded> => ({
  says: { text: 'Done.', calls },
  losses: [],
});
const at0 = { item_id: 'x_1', output_index: 0 };
const ANNOTATIONS: JsonObject[] = [
  { type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 2 },
  { type: 'file_citation', file_id: 'file_1', filename: 'a.pdf', index: 2 },
  {
    type: 'container_file_citation',
    container_id: 'cntr_1',
    file_id: 'cfile_1',
    filename: 'b.png',
    start_index: 0,
    end_index: 2,
  },
  { type: 'file_path', file_id: 'file_2', index: 1 },
];
const CITED = message('msg_9', said('It is.', ANNOTATIONS));

const RESPONSES: readonly Omit<Unrecorded, 'format'>[] = [
  beside(
    'a picture, and what it was on the way',
    {
      type: 'image_generation_call',
      id: 'x_1',
      status: 'completed',
      result: 'iVBORw0KGgo=',
      revised_prompt: 'a cat',
      output_format: 'png',
      size: '1024x1024',
      quality: 'low',
      background: 'opaque',
    },
    [
      { type: 'response.image_generation_call.in_progress', ...at0 },
      { type: 'response.image_generation_call.generating', ...at0 },
      {
        type: 'response.image_generation_call.partial_image',
        ...at0,
        partial_image_index: 0,
        partial_image_b64: 'cGFydA==',
      },
      { type: 'response.image_generation_call.completed', ...at0 },
    ],
    {
      losses: [/revised_prompt/],
      tells: {
        'openai-chat': ['data:image/png;base64,iVBORw0KGgo='],
        gemini: ['iVBORw0KGgo='],
        'bedrock-converse': ['iVBORw0KGgo='],
      },
    },
  ),
  beside(
    'code that ran',
    {
      type: 'code_interpreter_call',
      id: 'x_1',
      status: 'completed',
      container_id: 'cntr_1',
      code: 'print(1)',
      outputs: [
        { type: 'logs', logs: '1' },
        { type: 'image', url: 'https://img.test/1' },
      ],
    },
    [
      { type: 'response.code_interpreter_call.in_progress', ...at0 },
      { type: 'response.code_interpreter_call_code.delta', ...at0, delta: 'print' },
      { type: 'response.code_interpreter_call_code.done', ...at0, code: 'print(1)' },
      { type: 'response.code_interpreter_call.interpreting', ...at0 },
      { type: 'response.code_interpreter_call.completed', ...at0 },
    ],
  ),
  beside(
    'a search of files',
    {
      type: 'file_search_call',
      id: 'x_1',
      status: 'completed',
      queries: ['q'],
      results: [{ file_id: 'file_1', filename: 'a.pdf', score: 0.9, text: 'w', attributes: {} }],
    },
    [
      { type: 'response.file_search_call.in_progress', ...at0 },
      { type: 'response.file_search_call.searching', ...at0 },
      { type: 'response.file_search_call.completed', ...at0 },
    ],
  ),
  beside(
    'a search of the web',
    {
      type: 'web_search_call',
      id: 'x_1',
      status: 'completed',
      action: { type: 'search', query: 'q', queries: ['q'], sources: [{ type: 'url', url: 'https://a.test' }] },
    },
    [
      { type: 'response.web_search_call.in_progress', ...at0 },
      { type: 'response.web_search_call.searching', ...at0 },
      { type: 'response.web_search_call.completed', ...at0 },
    ],
  ),
  beside('a use of a computer', {
    type: 'computer_call',
    id: 'x_1',
    call_id: 'call_1',
    status: 'completed',
    action: { type: 'click', button: 'left', x: 1, y: 2 },
    pending_safety_checks: [{ id: 'sc_1', code: 'malicious_instructions', message: 'm' }],
  }),
  beside(
    'tools of a server of MCP',
    {
      type: 'mcp_list_tools',
      id: 'x_1',
      server_label: 'ref',
      tools: [{ name: 'echo', input_schema: { type: 'object' }, description: null, annotations: null }],
      error: null,
    },
    [
      { type: 'response.mcp_list_tools.in_progress', ...at0 },
      { type: 'response.mcp_list_tools.completed', ...at0 },
    ],
  ),
  beside(
    'a call of a server of MCP',
    {
      type: 'mcp_call',
      id: 'x_1',
      server_label: 'ref',
      name: 'echo',
      arguments: '{"a":1}',
      output: 'one',
      error: null,
      status: 'completed',
      approval_request_id: null,
    },
    [
      { type: 'response.mcp_call.in_progress', ...at0 },
      { type: 'response.mcp_call_arguments.delta', ...at0, delta: '{"a":1}', obfuscation: 'x' },
      { type: 'response.mcp_call_arguments.done', ...at0, arguments: '{"a":1}' },
      { type: 'response.mcp_call.completed', ...at0 },
    ],
  ),
  beside(
    'a call of a server of MCP that failed',
    {
      type: 'mcp_call',
      id: 'x_1',
      server_label: 'ref',
      name: 'echo',
      arguments: '{}',
      output: null,
      error: { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: 'no' }] },
      status: 'failed',
    },
    [{ type: 'response.mcp_call.failed', ...at0 }],
  ),
  beside('a call that waits to be allowed', {
    type: 'mcp_approval_request',
    id: 'x_1',
    server_label: 'ref',
    name: 'echo',
    arguments: '{"a":1}',
  }),
  beside('a command for the client’s shell, of old', {
    type: 'local_shell_call',
    id: 'x_1',
    call_id: 'call_1',
    status: 'completed',
    action: { type: 'exec', command: ['ls'], env: {}, timeout_ms: null, user: null, working_directory: null },
  }),
  beside('commands for a shell', {
    type: 'shell_call',
    id: 'x_1',
    call_id: 'call_1',
    status: 'completed',
    action: { commands: ['ls'], timeout_ms: 1, max_output_length: 9 },
    environment: { type: 'local' },
  }),
  beside('what a shell gave', {
    type: 'shell_call_output',
    id: 'x_1',
    call_id: 'call_1',
    max_output_length: 9,
    output: [{ stdout: '1', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
  }),
  beside(
    'a patch',
    {
      type: 'apply_patch_call',
      id: 'x_1',
      call_id: 'call_1',
      status: 'completed',
      operation: { type: 'update_file', path: 'a', diff: '@@' },
    },
    [
      { type: 'response.apply_patch_call_operation_diff.delta', ...at0, delta: '@@' },
      { type: 'response.apply_patch_call_operation_diff.done', ...at0, diff: '@@' },
    ],
  ),
  beside('a history made short', { type: 'compaction', id: 'x_1', encrypted_content: 'ZW5j' }),
  beside('a search of tools', {
    type: 'tool_search_call',
    id: 'x_1',
    call_id: null,
    execution: 'server',
    status: 'completed',
    arguments: { query: 'x' },
  }),
  beside('an item that nobody knows', { type: 'tomorrow_call', id: 'x_1', status: 'completed', what: 'ever' }, [
    { type: 'response.tomorrow.delta', ...at0, delta: 'x' },
    { type: 'keepalive', sequence_number: 9 },
  ]),
  beside(
    'a call of a custom tool',
    { type: 'custom_tool_call', id: 'x_1', call_id: 'call_1', name: 'patch', input: '*** "a"\n' },
    [
      { type: 'response.custom_tool_call_input.delta', ...at0, delta: '*** ' },
      { type: 'response.custom_tool_call_input.delta', ...at0, delta: '"a"\n' },
      { type: 'response.custom_tool_call_input.done', ...at0, input: '*** "a"\n' },
    ],
    called(['patch', { input: '*** "a"\n' }, 'call_1']),
  ),
  beside(
    'a call in pieces, of a name space',
    {
      type: 'function_call',
      id: 'x_1',
      call_id: 'call_1',
      name: 'look',
      namespace: 'mcp__ref',
      arguments: '{"a":[1,{"b":"ü😀"}]}',
      status: 'completed',
    },
    [
      ...['{"a"', ':[1,', '{"b":"ü', '😀"}]}'].map((delta) => ({
        type: 'response.function_call_arguments.delta',
        ...at0,
        delta,
        obfuscation: 'y',
      })),
      { type: 'response.function_call_arguments.done', ...at0, name: 'look', arguments: '{"a":[1,{"b":"ü😀"}]}' },
    ],
    { says: { text: 'Done.', calls: [['look', { a: [1, { b: 'ü😀' }] }, 'call_1']] }, losses: [] },
  ),
  beside(
    'a call without arguments',
    { type: 'function_call', id: 'x_1', call_id: 'call_1', name: 'none', arguments: '', status: 'completed' },
    [{ type: 'response.function_call_arguments.done', ...at0, arguments: '' }],
    called(['none', {}, 'call_1']),
  ),
  beside(
    'several summaries and sealed thinking',
    {
      type: 'reasoning',
      id: 'x_1',
      summary: [
        { type: 'summary_text', text: '**One**\n\na' },
        { type: 'summary_text', text: '**Two**' },
      ],
      encrypted_content: 'c2VhbA==',
    },
    [
      {
        type: 'response.reasoning_summary_part.added',
        ...at0,
        summary_index: 0,
        part: { type: 'summary_text', text: '' },
      },
      { type: 'response.reasoning_summary_text.delta', ...at0, summary_index: 0, delta: '**One**', obfuscation: 'x' },
      { type: 'response.reasoning_summary_text.delta', ...at0, summary_index: 0, delta: '\n\na' },
      { type: 'response.reasoning_summary_text.done', ...at0, summary_index: 0, text: '**One**\n\na' },
      {
        type: 'response.reasoning_summary_part.done',
        ...at0,
        summary_index: 0,
        part: { type: 'summary_text', text: '**One**\n\na' },
      },
      {
        type: 'response.reasoning_summary_part.added',
        ...at0,
        summary_index: 1,
        part: { type: 'summary_text', text: '' },
      },
      { type: 'response.reasoning_summary_text.delta', ...at0, summary_index: 1, delta: '**Two**' },
      {
        type: 'response.reasoning_summary_part.done',
        ...at0,
        summary_index: 1,
        part: { type: 'summary_text', text: '**Two**' },
      },
    ],
    { says: { text: 'Done.', reasoning: '**One**\n\na**Two**' }, losses: [] },
  ),
  beside(
    'thinking in words',
    {
      type: 'reasoning',
      id: 'x_1',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'hm ok' }],
      encrypted_content: null,
    },
    [
      { type: 'response.reasoning_text.delta', ...at0, content_index: 0, delta: 'hm ' },
      { type: 'response.reasoning_text.delta', ...at0, content_index: 0, delta: 'ok' },
      { type: 'response.reasoning_text.done', ...at0, content_index: 0, text: 'hm ok' },
    ],
    { says: { text: 'Done.', reasoning: 'hm ok' }, losses: [] },
  ),
  beside(
    'thinking that is sealed only',
    { type: 'reasoning', id: 'x_1', summary: [], encrypted_content: 'c2VhbA==' },
    [],
    { losses: [] },
  ),
  beside('a comment before the answer', { ...message('x_1', said('First. ')), phase: 'commentary' }, [], {
    says: { text: 'First. Done.' },
    losses: [],
  }),
  {
    what: 'a refusal',
    chunks: [
      ...opening,
      ...speaking(0, message('msg_1', { type: 'refusal', refusal: 'I cannot.' }), 'I ', 'cannot.'),
      ended([message('msg_1', { type: 'refusal', refusal: 'I cannot.' })]),
    ],
    whole: response('completed', [message('msg_1', { type: 'refusal', refusal: 'I cannot.' })]),
    says: { refusal: 'I cannot.', kind: 'refusal' },
  },
  {
    what: 'annotations of all kinds',
    chunks: [
      ...opening,
      ...speaking(0, CITED, 'It is.').toSpliced(
        -3,
        0,
        ...ANNOTATIONS.map((annotation, annotation_index) => ({
          type: 'response.output_text.annotation.added',
          item_id: 'msg_9',
          output_index: 0,
          content_index: 0,
          annotation_index,
          annotation,
        })),
      ),
      ended([CITED]),
    ],
    whole: response('completed', [CITED]),
    says: { text: 'It is.' },
    losses: [/annotations/],
    tells: Object.fromEntries(
      (['openai-chat', 'anthropic-messages', 'gemini', 'bedrock-converse'] as const).map((format) => [
        format,
        ['https://a.test'],
      ]),
    ),
  },
  ...(['max_output_tokens', 'content_filter'] as const).map((reason) => {
    const cut = { ...message('msg_1', said('up to')), status: 'incomplete' };
    return {
      what: `an end by ${reason}`,
      chunks: [
        ...opening,
        ...speaking(0, cut, 'up ', 'to').slice(0, -3),
        ended([cut], 'incomplete', { incomplete_details: { reason } }),
      ],
      whole: response('incomplete', [cut], { incomplete_details: { reason } }),
      says: { text: 'up to', kind: reason === 'content_filter' ? ('refusal' as const) : ('length' as const) },
    };
  }),
  {
    what: 'a failure in the middle',
    chunks: [
      ...opening,
      ...speaking(0, ANSWER, 'Do').slice(0, 3),
      {
        type: 'response.failed',
        response: response('failed', [], { error: { code: 'server_error', message: 'The server had an error' } }),
      },
    ],
    says: { fails: undefined },
  },
  {
    what: 'a failure before anything',
    chunks: [
      ...opening,
      {
        type: 'response.failed',
        response: response('failed', [], { error: { code: 'rate_limit_exceeded', message: 'Rate limit reached' } }),
      },
    ],
    says: { fails: 429 },
  },
  {
    what: 'an error event',
    chunks: [
      ...opening,
      ...speaking(0, ANSWER, 'Do').slice(0, 3),
      { type: 'error', code: 'server_error', message: 'no', param: null, sequence_number: 5 },
    ],
    says: { fails: undefined },
  },
  {
    what: 'counts of caches and thinking',
    chunks: [
      ...opening,
      ...speaking(0, ANSWER, 'Done.'),
      ended([ANSWER], 'completed', {
        usage: { ...usage, input_tokens_details: { cached_tokens: 4 }, output_tokens_details: { reasoning_tokens: 3 } },
        service_tier: 'flex',
      }),
    ],
    says: { text: 'Done.', usage: { cacheRead: 4, reasoning: 3 } },
    losses: [/service_tier/],
  },
  {
    what: 'an answer that waited in the background',
    chunks: [
      { type: 'response.created', response: response('queued', [], { background: true, usage: null }) },
      { type: 'response.queued', response: response('queued', [], { background: true, usage: null }) },
      { type: 'response.in_progress', response: response('in_progress', [], { background: true }) },
      ...speaking(0, ANSWER, 'Done.'),
      ended([ANSWER], 'completed', { background: true }),
    ],
    says: { text: 'Done.' },
  },
];

export const UNRECORDED_RESPONSES: readonly Unrecorded[] = RESPONSES.map((one) => ({
  ...one,
  format: 'openai-responses',
}));
