import { afterAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { type ChatAnswer, type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { serverFile } from '../support/mcp-clients.ts';

/** One gateway for each configuration: its servers take longest to start. */
const scenes = new Map<string, Promise<Scene>>();
afterAll(async () => {
  for (const scene of scenes.values()) await (await scene).close();
});

/** One of the three servers of fifty tools; all but deletions run by themselves. */
const catalogServer = (name: string, more: object = {}) => ({
  name,
  connection_type: 'stdio',
  stdio_config: { command: process.execPath, args: [serverFile('catalog.mjs'), name] },
  tools_to_execute: ['*'],
  tools_to_auto_execute: ['list_customers', 'open_amount', 'send_reminder'],
  ...more,
});

interface Scene {
  readonly gateway: Gateway;
  readonly upstream: ChatUpstream;
  script: readonly ChatAnswer[];
  close(): Promise<void>;
}

/** The gateway before a model that says what `script` says, one answer for each call of the model. */
async function startScene(script: readonly ChatAnswer[], clients: object[], manager: object = {}): Promise<Scene> {
  const key = JSON.stringify([clients, manager]);
  const starting = scenes.get(key) ?? newScene(clients, manager);
  scenes.set(key, starting);
  const scene = await starting;
  scene.script = script;
  scene.upstream.bodies.length = 0;
  return scene;
}

async function newScene(clients: object[], manager: object): Promise<Scene> {
  const upstream = await startChatUpstream(
    (_, count) => scene.script[count - 1] ?? { text: 'more than the script says' },
  );
  const gateway = await startGatewayHere({
    providers: { groq: keyed(upstream.url) },
    mcp: { client_configs: clients, tool_manager_config: manager },
  });
  const close = async () => {
    await gateway.stop();
    await upstream.close();
  };
  const scene: Scene = { gateway, upstream, script: [], close };
  return scene;
}

const calling = (name: string, input: unknown, id = `call_${name}`): ChatAnswer => ({ calls: [{ id, name, input }] });

const toolsOf = ({ tools = [] }: ChatBody): string[] => tools.map((tool) => tool.function.name);

const lastResults = ({ messages }: ChatBody): string[] =>
  messages.flatMap(({ role, content }) => (role === 'tool' ? [String(content)] : []));

const DIALECTS: readonly Dialect[] = [
  {
    name: 'Chat Completions',
    path: '/v1/chat/completions',
    ask: (turns) => ({ model: 'groq/m', messages: [{ role: 'user', content: 'go' }, ...turns] }),
    turn: (body) => [at(body, 'choices', 0, 'message')],
    handed: (body) =>
      list(at(body, 'choices', 0, 'message', 'tool_calls')).map((call) => ({
        id: String(at(call, 'id')),
        name: String(at(call, 'function', 'name')),
        input: parsed(at(call, 'function', 'arguments')),
      })),
    result: ({ id }, value) => [{ role: 'tool', tool_call_id: id, content: value }],
  },
  {
    name: 'Responses',
    path: '/v1/responses',
    ask: (turns) => ({ model: 'groq/m', input: [{ role: 'user', content: 'go' }, ...turns] }),
    turn: (body) => list(at(body, 'output')),
    handed: (body) =>
      list(at(body, 'output'))
        .filter((item) => at(item, 'type') === 'function_call')
        .map((item) => ({
          id: String(at(item, 'call_id')),
          name: String(at(item, 'name')),
          input: parsed(at(item, 'arguments')),
        })),
    result: ({ id }, value) => [{ type: 'function_call_output', call_id: id, output: value }],
  },
  {
    name: 'Messages',
    path: '/anthropic/v1/messages',
    ask: (turns) => ({ model: 'groq/m', max_tokens: 100, messages: [{ role: 'user', content: 'go' }, ...turns] }),
    turn: (body) => [{ role: 'assistant', content: at(body, 'content') }],
    handed: (body) =>
      list(at(body, 'content'))
        .filter((block) => at(block, 'type') === 'tool_use')
        .map((block) => ({ id: String(at(block, 'id')), name: String(at(block, 'name')), input: at(block, 'input') })),
    result: ({ id }, value) => [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: value }] }],
  },
  {
    name: 'Gemini',
    path: '/genai/v1beta/models/groq%2Fm:generateContent',
    ask: (turns) => ({ contents: [{ role: 'user', parts: [{ text: 'go' }] }, ...turns] }),
    turn: (body) => [at(body, 'candidates', 0, 'content')],
    handed: (body) =>
      list(at(body, 'candidates', 0, 'content', 'parts')).flatMap((part) => {
        const call = at(part, 'functionCall');
        return call ? [{ id: String(at(call, 'id')), name: String(at(call, 'name')), input: at(call, 'args') }] : [];
      }),
    result: ({ id, name }, value) => [
      { role: 'user', parts: [{ functionResponse: { id, name, response: { output: value } } }] },
    ],
  },
];

interface Handed {
  readonly id: string;
  readonly name: string;
  readonly input: JsonValue | undefined;
}

/** A client API, as far as a conversation with tools goes. */
interface Dialect {
  readonly name: string;
  readonly path: string;
  /** The question with what was said since. */
  ask(turns: readonly (JsonValue | undefined)[]): object;
  /** An answer as the client sends it back. */
  turn(body: JsonValue): readonly (JsonValue | undefined)[];
  handed(body: JsonValue): readonly Handed[];
  result(call: Handed, value: string): readonly JsonValue[];
}

function at(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonValue | undefined {
  let found = value;
  for (const step of path) {
    if (Array.isArray(found)) found = found[Number(step)];
    else found = isObject(found) ? found[String(step)] : undefined;
  }
  return found;
}

const list = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : []);
const parsed = (text: JsonValue | undefined): JsonValue => JSON.parse(String(text));

async function answerOf({ gateway }: Scene, { path, ask }: Dialect, turns: readonly (JsonValue | undefined)[] = []) {
  const response = await post(`${gateway.url}${path}`, ask(turns), { 'x-goog-api-key': 'none' });
  // what came over the wire is JSON
  const body = (await response.json()) as JsonValue;
  expect(response.status, JSON.stringify(body)).toBe(200);
  return body;
}

/** 150 tools. */
const ALL_AS_CODE = [
  catalogServer('crm', { is_code_mode_client: true }),
  catalogServer('billing', { tool_mode: 'code' }),
  catalogServer('mail', { tool_mode: 'code' }),
];

const META = ['listToolFiles', 'readToolFile', 'getToolDocs', 'executeToolCode'];

const REMINDERS = `
  const { customers } = await crm.list_customers({ country: 'GB' });
  const sent: string[] = [];
  for (const { id, name } of customers) {
    const amount = await billing.open_amount({ customer: id });
    if (amount > 50) sent.push(await mail.send_reminder({ to: name, amount }));
  }
  return sent;`;

const WITH_DELETION = `
  const { customers } = await crm.list_customers({});
  const remove = crm['delete' + '_customer'];
  const gone = await remove({ id: customers[1].id });
  return { had: customers.length, gone };`;

describe.each(DIALECTS)('$name, with a catalog of 150 tools as code', (dialect) => {
  test('a task over three servers takes four turns of the model, which sees the meta tools only', async () => {
    const script: ChatAnswer[] = [
      calling('listToolFiles', {}),
      {
        calls: ['crm', 'billing', 'mail'].map((name) => ({
          id: `read_${name}`,
          name: 'readToolFile',
          input: { fileName: `servers/${name}.d.ts` },
        })),
      },
      calling('executeToolCode', { code: REMINDERS }),
      { text: 'One reminder was sent.' },
    ];
    const scene = await startScene(script, ALL_AS_CODE);
    const body = await answerOf(scene, dialect);
    expect(await (await fetch(`${scene.gateway.url}/health`)).json()).toMatchObject({ tools: 150 });
    expect(JSON.stringify(body)).toContain('One reminder was sent.');
    const { bodies } = scene.upstream;
    expect(bodies).toHaveLength(4);
    expect(bodies.map(toolsOf)).toEqual([META, META, META, META]);
    const [, listed, read, ran] = bodies.map(lastResults);
    expect(listed).toEqual(['servers/billing.d.ts\nservers/crm.d.ts\nservers/mail.d.ts']);
    expect(read?.[2]).toMatch(/^\/\/ Total lines: \d+ \(this is the complete file, no need to paginate\)/);
    expect(read?.at(-1)).toContain('send_reminder(input: { to: string; amount: number }): Promise<any>;');
    expect(ran?.at(-1)).toContain('Return value: [\n  "sent to Ada: 120"\n]');
  });

  test('a call that must be allowed pauses the script; it goes on with what the client brings', async () => {
    const script: ChatAnswer[] = [
      calling('listToolFiles', {}),
      { text: 'I will.', ...calling('executeToolCode', { code: WITH_DELETION }) },
      { text: 'Done.' },
      { text: 'Anything else?' },
    ];
    const scene = await startScene(script, ALL_AS_CODE);
    const first = await answerOf(scene, dialect);
    const [handed, ...more] = dialect.handed(first);
    expect(more).toEqual([]);
    expect(handed).toMatchObject({ name: 'crm-delete-customer', input: { id: 'c2' } });
    if (!handed) throw new Error('a call is handed back');
    const turns = [...dialect.turn(first), ...dialect.result(handed, '{"deleted":["c2"]}')];
    const second = await answerOf(scene, dialect, turns);
    expect(JSON.stringify(second)).toContain('Done.');
    const seen = scene.upstream.bodies[2];
    expect(JSON.stringify(seen)).not.toContain('crm-delete-customer","arguments');
    expect(seen?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'tool']);
    expect(seen && lastResults(seen).at(-1)).toContain('"had": 3');
    expect(seen && lastResults(seen).at(-1)).toContain('"deleted": [\n      "c2"\n    ]');

    await answerOf(scene, dialect, [...turns, ...dialect.turn(second)]);
    expect(scene.upstream.bodies[3]?.messages.slice(0, 5)).toEqual(seen?.messages);
  });

  test('a script that pauses twice asks the client twice, without the model in between', async () => {
    const code = "for (const id of ['c1', 'c3']) await crm.delete_customer({ id }); return 'both';";
    const scene = await startScene([calling('executeToolCode', { code }), { text: 'Done.' }], ALL_AS_CODE);
    let turns: (JsonValue | undefined)[] = [];
    for (const id of ['c1', 'c3']) {
      const body = await answerOf(scene, dialect, turns);
      const [handed] = dialect.handed(body);
      if (!handed) throw new Error(`a call is handed back: ${JSON.stringify(body)}`);
      expect(handed).toMatchObject({ name: 'crm-delete-customer', input: { id } });
      turns = [...turns, ...dialect.turn(body), ...dialect.result(handed, 'gone')];
    }
    expect(scene.upstream.bodies).toHaveLength(1);
    expect(JSON.stringify(await answerOf(scene, dialect, turns))).toContain('Done.');
    const [, last] = scene.upstream.bodies;
    expect(last?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
    expect(last && lastResults(last)[0]).toContain('Return value: "both"');
  });
});

test('a script that pauses again is a whole answer as a stream, too', async () => {
  const code = "for (const id of ['c1', 'c3']) await crm.delete_customer({ id }); return 'both';";
  const scene = await startScene([calling('executeToolCode', { code })], ALL_AS_CODE);
  for (const dialect of DIALECTS.slice(0, 3)) {
    scene.upstream.bodies.length = 0;
    const first = await answerOf(scene, dialect);
    const [handed] = dialect.handed(first);
    if (!handed) throw new Error('a call is handed back');
    const turns = [...dialect.turn(first), ...dialect.result(handed, 'gone')];
    const stream = await post(`${scene.gateway.url}${dialect.path}`, { ...dialect.ask(turns), stream: true });
    const text = await stream.text();
    expect(text).toContain('crm-delete-customer');
    expect(text).toMatch(/tool_calls|response\.completed|tool_use/);
    expect(text).not.toContain('"error":{');
  }
});

const [chat] = DIALECTS;
if (!chat) throw new Error('there is a dialect');

describe('code mode in the agent loop', () => {
  test('a run of code in a turn with a call of the client: both results come in order', async () => {
    const script: ChatAnswer[] = [
      {
        calls: [
          { id: 'a', name: 'executeToolCode', input: { code: WITH_DELETION } },
          { id: 'b', name: 'weather', input: {} },
        ],
      },
      { text: 'Done.' },
    ];
    const scene = await startScene(script, ALL_AS_CODE);
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }];
    const mixed: Dialect = { ...chat, ask: (turns) => ({ ...chat.ask(turns), tools }) };
    const body = await answerOf(scene, mixed);
    const handed = mixed.handed(body);
    expect(handed.map(({ name }) => name)).toEqual(['weather', 'crm-delete-customer']);
    const results = handed.flatMap((call) => mixed.result(call, call.name === 'weather' ? 'sunny' : '"gone"'));
    await answerOf(scene, mixed, [...mixed.turn(body), ...results]);
    const last = scene.upstream.bodies[1];
    const said = last?.messages.filter(({ role }) => role === 'tool');
    expect(said?.map(({ tool_call_id: id }) => id)).toEqual(['a', 'b']);
    expect(String(said?.[0]?.content)).toContain('"gone": "gone"');
    expect(said?.[1]?.content).toBe('sunny');
  });

  test('G16 code reaches nothing outside of the allow-list, by whatever name', async () => {
    const code = `
      const tried: string[] = [];
      for (const name of ['delete_customer', 'delete-customer', 'crm_report_03']) {
        tried.push(typeof crm[name]);
      }
      return { tried, others: typeof globalThis.billing };`;
    const scene = await startScene(
      [calling('executeToolCode', { code }), { text: 'ok' }],
      [
        catalogServer('crm', { tool_mode: 'code', tools_to_execute: ['list_customers'] }),
        catalogServer('billing', { tool_mode: 'code', tools_to_execute: [] }),
      ],
    );
    await answerOf(scene, chat);
    const [report = ''] = lastResults(scene.upstream.bodies[1] ?? { model: '', messages: [] });
    expect(report).toContain(
      '"tried": [\n    "undefined",\n    "undefined",\n    "undefined"\n  ],\n  "others": "undefined"',
    );
  });

  test('G16 the filters of the caller hold inside of code', async () => {
    const code = 'return [Object.keys(crm).length, typeof crm.list_customers, typeof crm.delete_customer];';
    const scene = await startScene([calling('executeToolCode', { code }), { text: 'ok' }], ALL_AS_CODE);
    const headers = { 'x-bf-mcp-include-tools': 'crm-list_customers' };
    await post(`${scene.gateway.url}${chat.path}`, chat.ask([]), headers);
    const [report = ''] = lastResults(scene.upstream.bodies[1] ?? { model: '', messages: [] });
    expect(report).toContain('Return value: [\n  1,\n  "function",\n  "undefined"\n]');
  });

  test('the calls that code makes stand in the log as children of one run, and the code itself does not', async () => {
    // a manager of its own is a gateway of its own, whose log holds nothing else
    const manager = { max_agent_depth: 9 };
    const script = [calling('executeToolCode', { code: REMINDERS }), { text: 'ok' }];
    const scene = await startScene(script, ALL_AS_CODE, manager);
    await answerOf(scene, chat);
    const rows = await eventually(
      async () => {
        const body = (await (await fetch(`${scene.gateway.url}/api/mcp-logs`)).json()) as JsonValue;
        return list(at(body, 'logs'));
      },
      (found) => found.length >= 4,
    );
    const names = rows.map((row) => String(at(row, 'tool_name')));
    expect(names.sort()).toEqual(['list_customers', 'open_amount', 'open_amount', 'send_reminder']);
    for (const of of [['metadata', 'parent_id'], ['llm_request_id']]) {
      const values = new Set(rows.map((row) => at(row, ...of)));
      expect([...values]).toEqual([expect.any(String)]);
    }
  });

  test('the timeout of tools is that of the whole script, and the gateway answers meanwhile', async () => {
    const scene = await startScene(
      [calling('executeToolCode', { code: 'await billing.hang({});' }), { text: 'ok' }],
      [catalogServer('billing', { tool_mode: 'code', tools_to_auto_execute: ['*'] })],
      { tool_execution_timeout: '2s' },
    );
    const asked = answerOf(scene, chat);
    for (let round = 0; round < 5; round++) expect((await fetch(`${scene.gateway.url}/health`)).status).toBe(200);
    await asked;
    const [report = ''] = lastResults(scene.upstream.bodies[1] ?? { model: '', messages: [] });
    expect(report).toMatch(/took longer than 2000 ms|timed out after 2s/);
  });

  test('the same request gives the same bytes of tools, whatever connected first', async () => {
    const scene = await startScene(
      [{ text: 'a' }, { text: 'b' }],
      [
        catalogServer('mail', { tool_mode: 'code' }),
        catalogServer('crm', { tool_mode: 'compact' }),
        catalogServer('billing', { tool_mode: 'search' }),
      ],
    );
    await answerOf(scene, chat);
    await answerOf(scene, chat);
    const [first, second] = scene.upstream.bodies.map(({ tools }) => JSON.stringify(tools));
    expect(first).toBe(second);
    const names = toolsOf(scene.upstream.bodies[0] ?? { model: '', messages: [] });
    expect(names).toEqual([
      ...names.filter((name) => name.startsWith('crm-')).sort(),
      ...META,
      'searchTools',
      'getToolDetails',
      'executeTool',
    ]);
  });

  test('virtual files hold one tool each where the config says so', async () => {
    const scene = await startScene(
      [
        {
          calls: [
            calling('listToolFiles', {}),
            calling('readToolFile', { fileName: 'mail/send_reminder.pyi' }),
          ].flatMap(({ calls = [] }) => calls),
        },
        { text: 'ok' },
      ],
      [catalogServer('mail', { tool_mode: 'code', tools_to_execute: ['send_reminder'] })],
      { code_mode_binding_level: 'tool' },
    );
    await answerOf(scene, chat);
    const [files, file] = lastResults(scene.upstream.bodies[1] ?? { model: '', messages: [] });
    expect(files).toBe('servers/mail/send_reminder.d.ts');
    expect(file).toContain('declare const mail: {\n  send_reminder(');
  });
});

describe('search mode', () => {
  const search = { tool_mode: 'search' };

  test('tools are found by words, read and run, and three meta tools are all the model sees', async () => {
    const scene = await startScene(
      [
        calling('searchTools', { query: 'remind about unpaid invoice', limit: 3 }),
        calling('getToolDetails', { tool: 'mail-send_reminder' }),
        calling('executeTool', { tool: 'mail-send_reminder', arguments: { to: 'Ada', amount: 1 } }),
        { text: 'ok' },
      ],
      [catalogServer('crm', search), catalogServer('billing', search), catalogServer('mail', search)],
    );
    await answerOf(scene, chat);
    const { bodies } = scene.upstream;
    expect(bodies.map(toolsOf)).toEqual(Array(4).fill(['searchTools', 'getToolDetails', 'executeTool']));
    const [found, details, ran] = lastResults(bodies[3] ?? { model: '', messages: [] });
    expect(at(JSON.parse(found ?? ''), 'tools', 0)).toMatchObject({ tool: 'mail-send_reminder', server: 'mail' });
    expect(list(at(JSON.parse(found ?? ''), 'tools')).length).toBeLessThanOrEqual(3);
    expect(JSON.parse(details ?? '')).toMatchObject({ inputSchema: { required: ['to', 'amount'] } });
    expect(ran).toBe('sent to Ada: 1');
  });

  test('what must be allowed is handed to the client as the tool that it is', async () => {
    const scene = await startScene(
      [calling('executeTool', { tool: 'crm-delete-customer', arguments: { id: 'c9' } }), { text: 'ok' }],
      [catalogServer('crm', search)],
    );
    const body = await answerOf(scene, chat);
    const [handed] = chat.handed(body);
    expect(handed).toMatchObject({ name: 'crm-delete-customer', input: { id: 'c9' } });
    if (!handed) throw new Error('a call is handed back');
    await answerOf(scene, chat, [...chat.turn(body), ...chat.result(handed, 'no')]);
    expect(scene.upstream.bodies[1]?.messages.at(-1)).toMatchObject({
      role: 'tool',
      tool_call_id: 'call_executeTool',
      content: 'no',
    });
  });

  test('G16 executeTool runs nothing that is filtered, and no tool of another mode', async () => {
    const scene = await startScene(
      [
        {
          calls: ['crm-delete-customer', 'mail-send_reminder', 'nobody-knows'].map((tool, index) => ({
            id: `c${index}`,
            name: 'executeTool',
            input: { tool },
          })),
        },
        { text: 'ok' },
      ],
      [
        catalogServer('crm', { ...search, tools_to_execute: ['list_customers'] }),
        catalogServer('mail', { tool_mode: 'code' }),
      ],
    );
    await answerOf(scene, chat);
    for (const result of lastResults(scene.upstream.bodies[1] ?? { model: '', messages: [] })) {
      expect(result).toMatch(/^Error executing tool executeTool: tool '.*' is not available or not permitted$/);
    }
  });
});

describe('compact modes', () => {
  const toolIn = (body: ChatBody | undefined, name: string): JsonObject => {
    const found = list(body?.tools as unknown as JsonValue).find((tool) => at(tool, 'function', 'name') === name);
    const tool = at(found, 'function');
    return isObject(tool) ? tool : {};
  };

  test('compact leaves out descriptions, compact_names everything but the names', async () => {
    const scene = await startScene(
      [
        calling('getToolDetails', { tool: 'mail-send_reminder' }),
        calling('mail-send_reminder', { to: 'Ada', amount: 2 }),
        { text: 'ok' },
      ],
      [catalogServer('billing', { tool_mode: 'compact' }), catalogServer('mail', { tool_mode: 'compact_names' })],
    );
    await answerOf(scene, chat);
    const [first, , last] = scene.upstream.bodies;
    const compact = toolIn(first, 'billing-open_amount');
    expect(compact.description).toBeUndefined();
    expect(compact.parameters).toEqual({
      type: 'object',
      properties: { customer: { type: 'string' }, currency: { enum: ['GBP', 'EUR'] } },
      required: ['customer'],
    });
    const named = toolIn(first, 'mail-send_reminder');
    expect(named.description).toBeUndefined();
    expect(named.parameters).toMatchObject({ type: 'object', properties: {}, additionalProperties: true });
    expect(first && toolsOf(first).at(-1)).toBe('getToolDetails');
    const [details, ran] = last ? lastResults(last) : [];
    expect(JSON.parse(details ?? '')).toMatchObject({ description: expect.stringContaining('Sends a reminder') });
    expect(ran).toBe('sent to Ada: 2');
  });
});

test('a person who runs code by hand has allowed what is in it', async () => {
  const { gateway } = await startScene([], ALL_AS_CODE);
  const answer = await post(`${gateway.url}/v1/mcp/tool/execute`, {
    id: 'x',
    type: 'function',
    function: { name: 'executeToolCode', arguments: JSON.stringify({ code: WITH_DELETION }) },
  });
  expect(await answer.json()).toMatchObject({ content: expect.stringContaining('"gone": {\n    "deleted"') });
});
