import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { ResponseInputItem } from 'openai/resources/responses/responses';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ChatAnswer, type ChatBody, type ChatUpstream, startChatUpstream } from '../support/chat-upstream.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere, testServer } from '../support/gateway.ts';
import { type HttpServer, startHttpServer } from '../support/mcp-servers/http.mjs';

let chat: ChatUpstream;
let server: HttpServer;
let script: (body: ChatBody) => ChatAnswer;
let gateway: Gateway;
let anthropic: Anthropic;
let openai: OpenAI;

const hosts: string[] = [];
const PROVIDERS = () => ({ groq: keyed(chat.url) });
const MODEL = 'groq/llama';
const TOKEN = 'secret-token-0123456789';

beforeAll(async () => {
  chat = await startChatUpstream((body) => script(body));
  server = await startHttpServer();
  hosts.push(`127.0.0.1:${server.port}`);
  gateway = await startGatewayHere({
    providers: PROVIDERS(),
    mcp: {
      client_configs: [testServer('ref', { tools_to_auto_execute: ['echo'] })],
      tool_manager_config: { disable_auto_tool_inject: true },
      request_servers: { allowed_hosts: [...hosts, '127.0.0.1:1'] },
    },
  });
  anthropic = new Anthropic({ apiKey: 'any', maxRetries: 0, baseURL: `${gateway.url}/anthropic` });
  openai = new OpenAI({ apiKey: 'any', maxRetries: 0, baseURL: `${gateway.url}/openai/v1` });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([chat.close(), server.close()]);
});

beforeEach(() => {
  script = callsEcho();
});

afterEach(() => {
  chat.bodies.length = 0;
  server.refuse(0);
});

const address = () => `http://127.0.0.1:${server.port}/mcp`;
const offered = (body: ChatBody | undefined): string[] => (body?.tools ?? []).map((tool) => tool.function.name);
const results = ({ messages }: ChatBody): string[] =>
  messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content));
const callsEcho =
  (name = 'my-server-echo') =>
  (body: ChatBody): ChatAnswer =>
    results(body).length > 0
      ? { text: `it said ${results(body).at(-1)}` }
      : { text: 'I ask.', calls: [{ id: 'call_1', name, input: { value: 'cuckoo' } }] };

const BETA = 'mcp-client-2025-11-20';
const messagesBody = (more: object = {}) => ({
  model: MODEL,
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Ask the bird.' }],
  mcp_servers: [{ type: 'url' as const, name: 'my-server', url: address() }],
  tools: [{ type: 'mcp_toolset' as const, mcp_server_name: 'my-server' }],
  betas: [BETA],
  ...more,
});

describe('a Messages client that names MCP servers, on a model of another format', () => {
  const shown = [
    { type: 'text', text: 'I ask.' },
    { type: 'mcp_tool_use', name: 'echo', server_name: 'my-server', input: { value: 'cuckoo' } },
    { type: 'mcp_tool_result', is_error: false, content: [{ type: 'text', text: 'cuckoo' }] },
    { type: 'text', text: 'it said cuckoo' },
  ];

  test('gets whole answers with the native blocks of what ran', async () => {
    const answer = await anthropic.beta.messages.create(messagesBody());
    expect(answer.content).toMatchObject(shown);
    expect(answer.stop_reason).toBe('end_turn');
    expect(offered(chat.bodies[0])).toContain('my-server-echo');
  });

  test('gets the same streamed', async () => {
    const answer = await anthropic.beta.messages.stream(messagesBody()).finalMessage();
    expect(answer.content).toMatchObject(shown);
  });

  test('has its history understood, which is sent back as it came', async () => {
    const first = await anthropic.beta.messages.create(messagesBody());
    script = () => ({ text: 'nothing more' });
    const messages = [
      { role: 'user' as const, content: 'Ask the bird.' },
      { role: 'assistant' as const, content: first.content as Anthropic.Beta.BetaContentBlockParam[] },
      { role: 'user' as const, content: 'And now?' },
    ];
    await anthropic.beta.messages.create(messagesBody({ messages }));
    expect(chat.bodies.at(-1)?.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ]);
    expect(results(chat.bodies.at(-1) as ChatBody)).toEqual(['cuckoo']);
  });

  test('may continue what a vendor ran itself: its blocks become turns', async () => {
    script = () => ({ text: 'I see' });
    const messages = [
      { role: 'user' as const, content: 'Ask.' },
      {
        role: 'assistant' as const,
        content: [
          { type: 'mcp_tool_use', id: 'mcptoolu_01A', name: 'echo', server_name: 'bird', input: { value: 'x' } },
          { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_01A', content: [{ type: 'text', text: 'x!' }] },
          { type: 'text', text: 'It said x!' },
        ] as Anthropic.Beta.BetaContentBlockParam[],
      },
      { role: 'user' as const, content: 'And now?' },
    ];
    await anthropic.beta.messages.create({ model: MODEL, max_tokens: 9, messages });
    expect(results(chat.bodies.at(-1) as ChatBody)).toEqual(['x!']);
  });

  test.each([
    ['nothing said', {}, {}, (all: string[]) => all.length > 5],
    ['one disabled', {}, { configs: { echo: { enabled: false } } }, (all: string[]) => !all.includes('my-server-echo')],
    [
      'one enabled',
      {},
      { default_config: { enabled: false }, configs: { echo: { enabled: true } } },
      (all: string[]) => all.join() === 'my-server-echo',
    ],
    [
      'the older list',
      { tool_configuration: { enabled: true, allowed_tools: ['echo', 'fail'] } },
      undefined,
      (all: string[]) => all.join() === 'my-server-echo,my-server-fail',
    ],
    ['the older switch', { tool_configuration: { enabled: false } }, undefined, (all: string[]) => all.length === 0],
  ])('chooses among the tools: %s', async (_name, definition, toolset, holds) => {
    script = () => ({ text: 'fine' });
    const tools = toolset && [{ type: 'mcp_toolset' as const, mcp_server_name: 'my-server', ...toolset }];
    const mcp_servers = [{ type: 'url' as const, name: 'my-server', url: address(), ...definition }];
    const { tools: _usual, ...body } = messagesBody({ mcp_servers });
    await anthropic.beta.messages.create({ ...body, ...(tools && { tools }) });
    expect(holds(offered(chat.bodies[0]))).toBe(true);
  });

  test('passes its token on to the server, and nowhere else', async () => {
    script = callsEcho('my-server-headers');
    const mcp_servers = [{ type: 'url' as const, name: 'my-server', url: address(), authorization_token: TOKEN }];
    const answer = await anthropic.beta.messages.create(messagesBody({ mcp_servers }));
    expect(JSON.stringify(answer.content)).toContain(`Bearer ${TOKEN}`);
    expect(JSON.stringify(chat.bodies[0])).not.toContain(TOKEN);
    expect(gateway.output()).not.toContain(TOKEN);
  });

  test('shares a connection with the next request of the same address and token only', async () => {
    const opened = () => server.requests.filter(({ rpc }) => rpc === 'initialize').length;
    const before = opened();
    const named = (token: string) => [
      { type: 'url' as const, name: 'my-server', url: address(), authorization_token: token },
    ];
    for (const token of ['one-token-1', 'one-token-1', 'another-token-2']) {
      await anthropic.beta.messages.create(messagesBody({ mcp_servers: named(token) }));
    }
    expect(opened() - before).toBe(2);
  });

  test('is told which server cannot be reached, and the next request works', async () => {
    const dead = [{ type: 'url' as const, name: 'gone', url: 'http://127.0.0.1:1/mcp' }];
    const asked = anthropic.beta.messages.create(messagesBody({ mcp_servers: dead, tools: [] }));
    await expect(asked).rejects.toMatchObject({
      status: 424,
      message: expect.stringContaining('the MCP server \\"gone\\" could not be reached'),
    });
    expect((await anthropic.beta.messages.create(messagesBody())).content).toMatchObject(shown);
  });

  test.each([
    'http://127.0.0.1:9/mcp',
    'http://localhost:9/mcp',
    'http://[::1]:9/mcp',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/mcp',
    'http://[::ffff:192.168.0.1]/mcp',
    'http://2130706433/mcp',
  ])('is refused a server inside: %s', async (url) => {
    const mcp_servers = [{ type: 'url' as const, name: 'inside', url }];
    const asked = anthropic.beta.messages.create(messagesBody({ mcp_servers, tools: [] }));
    await expect(asked).rejects.toMatchObject({ status: 403, message: expect.stringContaining('private or local') });
    expect(chat.bodies).toEqual([]);
  });

  test('may name a configured MCP client without a url; its own rules hold', async () => {
    script = callsEcho('ref-echo');
    const tools = [{ type: 'mcp_toolset' as const, mcp_server_name: 'ref', configs: { fail: { enabled: false } } }];
    const answer = await anthropic.beta.messages.create(messagesBody({ mcp_servers: [], tools }));
    expect(answer.content).toMatchObject([{}, { type: 'mcp_tool_use', name: 'echo', server_name: 'ref' }, {}, {}]);
    expect(offered(chat.bodies[0])).toContain('ref-slow');
    expect(offered(chat.bodies[0])).not.toContain('ref-fail');
  });
});

describe('a Responses client that names MCP servers, on a model of another format', () => {
  const mcp = (more: object = {}): OpenAI.Responses.Tool.Mcp => ({
    type: 'mcp',
    server_label: 'my-server',
    server_url: address(),
    require_approval: 'never',
    ...more,
  });
  const ask = (tools: OpenAI.Responses.Tool[], input: string | ResponseInputItem[] = 'Ask the bird.') =>
    openai.responses.create({ model: MODEL, input, tools, store: false });
  const shown = [
    { type: 'mcp_list_tools', server_label: 'my-server' },
    { type: 'message', content: [{ text: 'I ask.' }] },
    { type: 'mcp_call', server_label: 'my-server', name: 'echo', output: 'cuckoo', error: null, status: 'completed' },
    { type: 'message', content: [{ text: 'it said cuckoo' }] },
  ];

  test('gets the list of tools, the call and the answer', async () => {
    const { output } = await ask([mcp()]);
    expect(output).toMatchObject(shown);
    expect(output[0]).toMatchObject({
      tools: expect.arrayContaining([expect.objectContaining({ name: 'echo', input_schema: expect.anything() })]),
    });
  });

  test('gets the same streamed, with the events around the list', async () => {
    const types: string[] = [];
    const stream = openai.responses.stream({ model: MODEL, input: 'Ask.', tools: [mcp()], store: false });
    stream.on('event', ({ type }) => types.push(type));
    expect((await stream.finalResponse()).output).toMatchObject(shown);
    expect(types).toEqual(
      expect.arrayContaining([
        'response.mcp_list_tools.in_progress',
        'response.mcp_list_tools.completed',
        'response.mcp_call.in_progress',
        'response.mcp_call.completed',
      ]),
    );
  });

  test.each([
    ['a list', ['echo'], 'my-server-echo'],
    ['a filter', { tool_names: ['echo', 'fail'] }, 'my-server-echo,my-server-fail'],
    ['nothing', [], ''],
  ])('is offered what allowed_tools says: %s', async (_name, allowed_tools, names) => {
    script = () => ({ text: 'fine' });
    await ask([mcp({ allowed_tools })]);
    expect(offered(chat.bodies[0]).join()).toBe(names);
  });

  test('passes authorization and headers on', async () => {
    script = callsEcho('my-server-headers');
    const { output } = await ask([mcp({ authorization: TOKEN, headers: { 'X-Team': 'birds' } })]);
    const call = output.find(({ type }) => type === 'mcp_call');
    expect(JSON.stringify(call)).toContain(`Bearer ${TOKEN}`);
    expect(JSON.stringify(call)).toContain('birds');
    expect(gateway.output()).not.toContain(TOKEN);
  });

  test('I10 is asked before a call, and a yes runs it; what the history lists is not listed again', async () => {
    const tools = [mcp({ require_approval: 'always' })];
    const first = await ask(tools);
    expect(first.output).toMatchObject([
      { type: 'mcp_list_tools' },
      { type: 'message' },
      { type: 'mcp_approval_request', server_label: 'my-server', name: 'echo', arguments: '{"value":"cuckoo"}' },
    ]);
    const request = first.output.at(-1);
    const input = [
      { role: 'user', content: 'Ask the bird.' },
      ...first.output,
      { type: 'mcp_approval_response', approval_request_id: request?.id, approve: true },
    ] as ResponseInputItem[];
    const second = await ask(tools, input);
    // I10: a server that the history lists is not listed again
    expect(second.output).toMatchObject([
      { type: 'mcp_call', name: 'echo', output: 'cuckoo', approval_request_id: request?.id },
      { type: 'message', content: [{ text: 'it said cuckoo' }] },
    ]);
    script = () => ({ text: 'nothing more' });
    await ask(tools, [...input, ...second.output, { role: 'user', content: 'And now?' }] as ResponseInputItem[]);
    expect(chat.bodies.at(-1)?.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ]);
  });

  test('is asked before a call, and a no is told to the model', async () => {
    const tools = [mcp({ require_approval: 'always' })];
    const first = await ask(tools);
    const calls = () => server.requests.filter(({ rpc }) => rpc === 'tools/call').length;
    const before = calls();
    const approval_request_id = first.output.at(-1)?.id;
    await ask(tools, [
      { role: 'user', content: 'Ask the bird.' },
      ...first.output,
      { type: 'mcp_approval_response', approval_request_id, approve: false, reason: 'too loud' },
    ] as ResponseInputItem[]);
    expect(results(chat.bodies.at(-1) as ChatBody)).toEqual([expect.stringContaining('too loud')]);
    expect(calls()).toBe(before);
  });

  test('I4 I8 is asked for some tools only, decided for each call', async () => {
    const { output } = await ask([mcp({ require_approval: { never: { tool_names: ['echo'] } } })]);
    expect(output).toMatchObject(shown);
    script = callsEcho('my-server-fail');
    const asked = await ask([mcp({ require_approval: { never: { tool_names: ['echo'] } } })]);
    expect(asked.output.at(-1)).toMatchObject({ type: 'mcp_approval_request', name: 'fail' });
  });

  test('is told of a dead server in its list, and the next request works', async () => {
    script = () => ({ text: 'without it, then' });
    const { output } = await ask([mcp({ server_label: 'gone', server_url: 'http://127.0.0.1:1/mcp' })]);
    expect(output).toMatchObject([
      {
        type: 'mcp_list_tools',
        server_label: 'gone',
        tools: [],
        error: expect.stringContaining('could not be reached'),
      },
      { type: 'message' },
    ]);
    script = callsEcho();
    expect((await ask([mcp()])).output).toMatchObject(shown);
  });

  test('is refused a connector, which only OpenAI reaches', async () => {
    const tool = { type: 'mcp', server_label: 'mail', connector_id: 'connector_gmail' } as const;
    await expect(ask([tool])).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('connector_gmail'),
    });
  });

  test('reaches a configured client by its label; what the config does not run by itself is asked for', async () => {
    script = callsEcho('ref-echo');
    const ref = { type: 'mcp', server_label: 'ref' } as const;
    const { output } = await ask([ref]);
    expect(output).toMatchObject([{}, {}, { type: 'mcp_call', server_label: 'ref', output: 'cuckoo' }, {}]);
    script = callsEcho('ref-fail');
    expect((await ask([{ ...ref, require_approval: 'never' }])).output.at(-1)).toMatchObject({
      type: 'mcp_approval_request',
      name: 'fail',
    });
  });
});

describe('tool search on a model that has none', () => {
  const deferred = Array.from({ length: 50 }, (_, index) => ({
    name: `tool_${index}`,
    description: index === 37 ? 'Gives the weather forecast of a city.' : `Does the job with the number ${index}.`,
    input_schema: { type: 'object' as const, properties: {} },
    defer_loading: true,
  }));
  const searching = (method: 'regex' | 'bm25') => [
    { type: `tool_search_tool_${method}_20251119`, name: `tool_search_tool_${method}` } as Anthropic.Beta.BetaToolUnion,
    ...deferred,
  ];
  const flow =
    (name: string, input: object) =>
    (body: ChatBody): ChatAnswer => {
      const found = offered(body).includes('tool_37');
      return { calls: [found ? { id: 'call_2', name: 'tool_37', input: {} } : { id: 'call_1', name, input }] };
    };

  test.each([
    ['regex', { pattern: '(?i)WEATHER' }],
    ['bm25', { query: 'weather forecast' }],
  ] as const)('%s: 50 tools stay out of the prompt until one is found', async (method, input) => {
    const name = `tool_search_tool_${method}`;
    script = flow(name, input);
    const body = { model: MODEL, max_tokens: 9, messages: [{ role: 'user' as const, content: 'Will it rain?' }] };
    const answer = await anthropic.beta.messages.create({ ...body, tools: searching(method) });
    expect(offered(chat.bodies[0])).toEqual([name]);
    expect(offered(chat.bodies[1])).toEqual([name, 'tool_37']);
    expect(answer.content).toMatchObject([
      { type: 'server_tool_use', name, input },
      {
        type: 'tool_search_tool_result',
        content: {
          type: 'tool_search_tool_search_result',
          tool_references: [{ type: 'tool_reference', tool_name: 'tool_37' }],
        },
      },
      { type: 'tool_use', name: 'tool_37' },
    ]);
    expect(answer.stop_reason).toBe('tool_use');
    script = () => ({ text: 'It will.' });
    const messages = [
      ...body.messages,
      { role: 'assistant' as const, content: answer.content as Anthropic.Beta.BetaContentBlockParam[] },
      {
        role: 'user' as const,
        content: [
          { type: 'tool_result' as const, tool_use_id: answer.content.at(-1)?.['id' as never] ?? '', content: 'rain' },
        ],
      },
    ];
    await anthropic.beta.messages.create({ ...body, messages, tools: searching(method) });
    expect(offered(chat.bodies[2])).toEqual([name, 'tool_37']);
    expect(results(chat.bodies[2] as ChatBody)).toEqual(['Tool tool_37 is now available.', 'rain']);
  });

  test('a pattern that is none is told to the model and shown as an error', async () => {
    script = (body) =>
      results(body).length > 0
        ? { text: 'never mind' }
        : { calls: [{ id: 'call_1', name: 'tool_search_tool_regex', input: { pattern: '(' } }] };
    const answer = await anthropic.beta.messages
      .stream({ model: MODEL, max_tokens: 9, messages: [{ role: 'user', content: 'x' }], tools: searching('regex') })
      .finalMessage();
    expect(answer.content[1]).toMatchObject({
      type: 'tool_search_tool_result',
      content: { type: 'tool_search_tool_result_error', error_code: 'invalid_tool_input' },
    });
  });

  test('a pattern that would never end is ended', async () => {
    script = (body) =>
      results(body).length > 0
        ? { text: 'never mind' }
        : {
            calls: [
              { id: 'call_1', name: 'tool_search_tool_regex', input: { pattern: '^(([a-z_0-9])+.)+[A-Z]([a-z])+$' } },
            ],
          };
    const slow = { ...deferred[0], name: 'a'.repeat(60), description: 'a'.repeat(3_000) } as Anthropic.Beta.BetaTool;
    const tools = [...searching('regex'), slow];
    const body = { model: MODEL, max_tokens: 9, messages: [{ role: 'user' as const, content: 'x' }], tools };
    const answer = await anthropic.beta.messages.create(body);
    expect(answer.content[1]).toMatchObject({ content: { type: 'tool_search_tool_result_error' } });
  });

  test('Responses: the search shows its items, and a namespaced tool is found under both its names', async () => {
    script = (body) => {
      const found = offered(body).find((name) => name.includes('forecast'));
      return {
        calls: [
          found
            ? { id: 'call_2', name: found, input: { city: 'Ulm' } }
            : { id: 'call_1', name: 'tool_search', input: { query: 'weather' } },
        ],
      };
    };
    const forecast = {
      type: 'function' as const,
      name: 'forecast',
      description: 'The weather of a city.',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
      strict: false,
      defer_loading: true,
    };
    const tools: OpenAI.Responses.Tool[] = [
      { type: 'namespace', name: 'sky', description: 'All of the sky.', tools: [forecast] },
      { type: 'tool_search' },
    ];
    const input: ResponseInputItem[] = [{ role: 'user', content: 'Rain?' }];
    const answer = await openai.responses.create({ model: MODEL, input, tools, store: false });
    expect(offered(chat.bodies[0])).toEqual(['tool_search']);
    expect(answer.output).toMatchObject([
      { type: 'tool_search_call', execution: 'server', status: 'completed', arguments: { query: 'weather' } },
      { type: 'tool_search_output', execution: 'server', tools: [{ type: 'namespace', name: 'sky' }] },
      { type: 'function_call', name: 'forecast', namespace: 'sky' },
    ]);
    script = () => ({ text: 'Yes.' });
    const output = { type: 'function_call_output' as const, call_id: 'call_2', output: 'rain' };
    await openai.responses.create({
      model: MODEL,
      input: [...input, ...(answer.output as ResponseInputItem[]), output],
      tools,
      store: false,
    });
    expect(offered(chat.bodies[2])).toHaveLength(2);
    expect(results(chat.bodies[2] as ChatBody)).toEqual([expect.stringContaining('now available'), 'rain']);
  });

  test('Responses: a search that the client runs is given to it, and what it loads is offered', async () => {
    script = (body) => ({ calls: [{ id: 'call_1', name: offered(body)[0] ?? '', input: { goal: 'weather' } }] });
    const parameters = { type: 'object', properties: { goal: { type: 'string' } } };
    const tools: OpenAI.Responses.Tool[] = [{ type: 'tool_search', execution: 'client', parameters }];
    const input: ResponseInputItem[] = [{ role: 'user', content: 'Rain?' }];
    const { output } = await openai.responses.create({ model: MODEL, input, tools, store: false });
    const call = { type: 'tool_search_call', execution: 'client', call_id: 'call_1', arguments: { goal: 'weather' } };
    expect(output).toMatchObject([call]);
    script = () => ({ text: 'Yes.' });
    const loaded = { type: 'function' as const, name: 'forecast', parameters, strict: false };
    const found = {
      type: 'tool_search_output' as const,
      execution: 'client' as const,
      call_id: 'call_1',
      tools: [loaded],
    };
    const next = [...input, ...(output as ResponseInputItem[]), found];
    await openai.responses.create({ model: MODEL, input: next, tools, store: false });
    expect(offered(chat.bodies[1])).toContain('forecast');
    expect(results(chat.bodies[1] as ChatBody)).toEqual(['Tool forecast is now available.']);
  });

  test('the ledger of the call says what the gateway ran in the place of the provider', async () => {
    const answer = await post(`${gateway.url}/anthropic/v1/messages`, messagesBody());
    await answer.arrayBuffer();
    const id = answer.headers.get('x-bifrost-request-id');
    const logged = await eventually(
      async () => (await fetch(`${gateway.url}/api/logs/${id}`)).text(),
      (text) => text.includes('groq'),
    );
    expect(logged).toContain('mcp_servers');
    expect(logged).toContain('run by the gateway');
  });
});
