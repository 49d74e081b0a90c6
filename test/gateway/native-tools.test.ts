import OpenAI from 'openai';
import type { Response, ResponseInput, ResponseInputItem, Tool } from 'openai/resources/responses/responses';
import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { post } from '../support/gateway.ts';
import { scriptedStrict } from '../support/scripted-strict.ts';
import { objectOf, objectsOf, textOf } from '../support/strict-server.ts';

// OpenAI's models know some tools by heart, which the client runs: a shell, patches, a computer. A session may go on with
// a model of another vendor, which is told of them as functions.

const strict = scriptedStrict({});
const client = () => new OpenAI({ apiKey: 'none', baseURL: `${strict.url}/v1`, maxRetries: 0 });

const PICTURE = 'iVBORw0KGgo=';

/** What GPT-5 did, and what the client made of it. */
const HISTORY: ResponseInput = [
  { role: 'user', content: 'Mend it.' },
  {
    type: 'shell_call',
    call_id: 'call_1',
    action: { commands: ['ls', 'cat a'], timeout_ms: 900, max_output_length: null },
    status: 'completed',
  },
  {
    type: 'shell_call_output',
    call_id: 'call_1',
    output: [
      { stdout: 'a.txt', stderr: '', outcome: { type: 'exit', exit_code: 0 } },
      { stdout: '', stderr: 'no such file', outcome: { type: 'exit', exit_code: 1 } },
      { stdout: 'slow', stderr: '', outcome: { type: 'timeout' } },
    ],
  },
  {
    type: 'local_shell_call',
    id: 'lsh_1',
    call_id: 'call_2',
    action: { type: 'exec', command: ['bash', '-lc', 'pwd'], env: {}, working_directory: '/tmp' },
    status: 'completed',
  },
  // an older form: it names its call by the item's id
  { type: 'local_shell_call_output', id: 'lsh_1', output: '/tmp' },
  {
    type: 'apply_patch_call',
    call_id: 'call_3',
    operation: { type: 'update_file', path: 'a.txt', diff: '@@\n-x\n+y' },
    status: 'completed',
  },
  { type: 'apply_patch_call_output', call_id: 'call_3', status: 'failed', output: 'no such line' },
  {
    type: 'computer_call',
    id: 'cu_1',
    call_id: 'call_4',
    action: { type: 'click', button: 'left', x: 1, y: 2 },
    pending_safety_checks: [],
    status: 'completed',
  },
  {
    type: 'computer_call_output',
    call_id: 'call_4',
    output: { type: 'computer_screenshot', image_url: `data:image/png;base64,${PICTURE}` },
  },
  { role: 'user', content: 'Go on.' },
];

const TOOLS: Tool[] = [
  { type: 'shell', environment: { type: 'local' } },
  { type: 'apply_patch' },
  { type: 'local_shell' },
  { type: 'function', name: 'look', parameters: { type: 'object', properties: {} }, strict: false },
];

const CALLS = [
  ['shell', { commands: ['ls', 'cat a'], timeout_ms: 900 }],
  ['local_shell', { command: ['bash', '-lc', 'pwd'], working_directory: '/tmp', env: {} }],
  ['apply_patch', { type: 'update_file', path: 'a.txt', diff: '@@\n-x\n+y' }],
  ['computer', { type: 'click', button: 'left', x: 1, y: 2 }],
] as const;

const RESULTS = [
  'a.txt\nexit code: 0\n\nstderr:\nno such file\nexit code: 1\n\nslow\ntimed out',
  '/tmp',
  'no such line',
];

const MODELS = [
  ['anthropic', 'anthropic/claude-sonnet-4-5'],
  ['gemini', 'gemini/gemini-2.5-pro'],
  ['groq', 'groq/openai/gpt-oss-120b'],
  ['deepseek', 'deepseek/deepseek-chat'],
] as const;

describe.each(MODELS)('what GPT-5 did with its own tools, told to %s', (provider, model) => {
  test('is calls with results, and the tools are functions', async () => {
    strict.script = [{ text: 'done' }];
    await client().responses.create({ model, input: HISTORY, tools: TOOLS, store: false });
    const { accepted, refused } = strict.upstreams[provider];
    expect(refused).toEqual([]);
    const text = JSON.stringify(accepted[0]?.body);
    for (const [name, args] of CALLS) {
      expect(text).toContain(JSON.stringify(name));
      // arguments are an object, or the text of one
      const written = JSON.stringify(args);
      expect([written, JSON.stringify(written).slice(1, -1)].some((each) => text.includes(each))).toBe(true);
    }
    for (const result of RESULTS) expect(text).toContain(JSON.stringify(result).slice(1, -1));
    expect(text).toContain(provider === 'deepseek' || provider === 'groq' ? 'left out' : PICTURE);
  });
});

/** The answer as the client of a stream puts it together, and as the whole one of it. */
async function answers(model: string, input: ResponseInput, tools: Tool[]): Promise<Response[]> {
  const asked = { model, input, tools, store: false };
  const whole = await client().responses.create(asked);
  const streamed = await client().responses.stream(asked).finalResponse();
  return [whole, streamed];
}

const CALLED: readonly [name: string, input: JsonObject, item: JsonObject][] = [
  [
    'shell',
    { commands: ['ls'] },
    {
      type: 'shell_call',
      action: { commands: ['ls'], timeout_ms: null, max_output_length: null },
      environment: { type: 'local' },
    },
  ],
  ['shell', { command: 'ls' }, { type: 'shell_call', action: { commands: ['ls'] } }],
  [
    'local_shell',
    { command: ['ls', '-l'], working_directory: '/tmp' },
    { type: 'local_shell_call', action: { type: 'exec', command: ['ls', '-l'], env: {}, working_directory: '/tmp' } },
  ],
  [
    'apply_patch',
    { type: 'create_file', path: 'b', diff: '+b' },
    { type: 'apply_patch_call', operation: { type: 'create_file', path: 'b', diff: '+b' } },
  ],
  [
    'apply_patch',
    { type: 'delete_file', path: 'b' },
    { type: 'apply_patch_call', operation: { type: 'delete_file', path: 'b' } },
  ],
];

describe.each(CALLED)('a call of %s with %j by Claude', (name, input, item) => {
  test('comes back as an item that the client runs, which the next request brings with its result', async () => {
    const call = { calls: [{ name, input }] };
    strict.script = [call, call];
    const [whole, streamed] = await answers('anthropic/claude-sonnet-4-5', 'Mend it.' as never, TOOLS);
    for (const response of [whole, streamed]) {
      expect(response?.output).toMatchObject([{ ...item, call_id: expect.stringMatching(/./), status: 'completed' }]);
    }
    const [own] = whole?.output ?? [];
    // an item of the answer goes back as it came
    const back = [{ role: 'user', content: 'Mend it.' }, own, resultOf(objectOf(own as never))] as ResponseInput;
    strict.script = [{ text: 'done' }];
    await client().responses.create({ model: 'anthropic/claude-sonnet-4-5', input: back, tools: TOOLS, store: false });
    const { accepted, refused } = strict.upstreams.anthropic;
    expect(refused).toEqual([]);
    const text = JSON.stringify(accepted.at(-1)?.body);
    expect(text).toContain('"type":"tool_use"');
    expect(text).toContain('it went well');
  });
});

function resultOf({ type, call_id: id }: JsonObject): ResponseInputItem {
  const head = { type: `${textOf(type)}_output`, call_id: id };
  const outcome = { type: 'exit', exit_code: 0 };
  if (type === 'shell_call') return { ...head, output: [{ stdout: 'it went well', stderr: '', outcome }] } as never;
  return { ...head, output: 'it went well', ...(type === 'apply_patch_call' && { status: 'completed' }) } as never;
}

describe('tools that OpenAI’s models know by heart', () => {
  const losses = async (tools: Tool[], input: ResponseInput | string = 'Hi') => {
    strict.script = [{ text: 'done' }];
    const body = { model: 'anthropic/claude-sonnet-4-5', input, tools, store: false } as unknown as JsonObject;
    const answer: unknown = await (await post(`${strict.url}/v1/responses`, body)).json();
    if (!isObject(answer)) throw new Error('the answer is no object');
    return objectsOf(objectOf(answer.extra_fields).losses).map(({ field, action }) => `${action} ${field}`);
  };

  test('stand in the ledger as rewritten, also in a history', async () => {
    const told = await losses(TOOLS, HISTORY);
    expect(told).toContain('rewritten tools.*.parameters');
    for (const field of ['action', 'operation', 'output']) expect(told).toContain(`rewritten input.*.${field}`);
  });

  test.each<Tool>([
    { type: 'shell', environment: { type: 'container_auto' } },
    { type: 'computer' },
    { type: 'computer_use_preview', display_height: 1, display_width: 1, environment: 'browser' },
  ])('are left out where nobody could run them: $type', async (tool) => {
    expect(await losses([tool])).toContain('dropped tools.0');
    expect(strict.upstreams.anthropic.accepted[0]?.body.tools).toBeUndefined();
  });

  test('give way to a function of the same name', async () => {
    const look = { type: 'function', name: 'shell', parameters: { type: 'object', properties: {} }, strict: false };
    strict.script = [{ calls: [{ name: 'shell', input: {} }] }];
    const tools = [{ type: 'shell' }, look] as Tool[];
    const { output } = await client().responses.create({ model: 'anthropic/claude-sonnet-4-5', input: 'Hi', tools });
    expect(output).toMatchObject([{ type: 'function_call', name: 'shell' }]);
  });

  test('can be chosen', async () => {
    strict.script = [{ text: 'done' }];
    const asked = { model: 'anthropic/claude-sonnet-4-5', input: 'Hi', tools: TOOLS };
    await client().responses.create({ ...asked, tool_choice: { type: 'apply_patch' } });
    expect(strict.upstreams.anthropic.accepted[0]?.body.tool_choice).toMatchObject({ name: 'apply_patch' });
  });

  test('travel to OpenAI as they came', async () => {
    strict.script = [{ text: 'done' }];
    const input = HISTORY.filter((item) => !String(item.type).startsWith('local_shell'));
    await client().responses.create({ model: 'responder/gpt-5.1', input, tools: TOOLS, store: false });
    const [asked] = strict.upstreams.openai.accepted;
    expect(asked?.body).toMatchObject({ input, tools: TOOLS });
  });
});

test('a history with calls of such tools is built anew as it was', () => {
  const codec = codecs['openai-responses'];
  // what the SDK sends is JSON
  const input = HISTORY as unknown as JsonObject[];
  const asked = { model: 'm', input, tools: TOOLS as unknown as JsonObject[], tool_choice: { type: 'shell' } };
  const read = { ...codec.decodeRequest(asked), model: 'm', stream: false, fallbacks: [], untouched: false };
  const turn = ['assistant', 'tool'];
  expect(read.messages.map(({ role }) => role)).toEqual(['user', ...turn, ...turn, ...turn, ...turn, 'user']);
  const { body, losses } = codec.encodeRequest(read, { model: 'm', stream: false });
  expect(losses).toEqual([]);
  expect(body).toMatchObject({
    ...asked,
    input: input.map(({ role, content, ...item }) =>
      role === undefined ? item : { role, content: [{ type: 'input_text', text: content }] },
    ),
  });
});

test('a call without its result is built anew with one that says so', () => {
  const codec = codecs['openai-responses'];
  const calls = (HISTORY as unknown as JsonObject[]).filter(({ type }) => textOf(type).endsWith('_call'));
  const read = { ...codec.decodeRequest({ model: 'm', input: calls }), model: 'm', stream: false, fallbacks: [] };
  const { body } = codec.encodeRequest({ ...read, untouched: false }, { model: 'm', stream: false });
  const said = expect.stringContaining('interrupted');
  expect(objectsOf(body.input).filter(({ type }) => textOf(type).endsWith('_output'))).toMatchObject([
    { type: 'shell_call_output', call_id: 'call_1', output: [{ stderr: said, outcome: { exit_code: 1 } }] },
    { type: 'local_shell_call_output', call_id: 'call_2', output: said },
    { type: 'apply_patch_call_output', call_id: 'call_3', status: 'failed', output: said },
  ]);
});
