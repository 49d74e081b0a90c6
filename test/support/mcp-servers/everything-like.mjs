import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

// A server with every feature of 2025-11-25, under the names that the MCP conformance suite asks for.

/** 1 x 1 pixel, and a sound without samples. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';

const text = (words) => ({ type: 'text', text: words });
const image = { type: 'image', data: PNG, mimeType: 'image/png' };
const audio = { type: 'audio', data: WAV, mimeType: 'audio/wav' };
const embedded = (uri, words) => ({ type: 'resource', resource: { uri, mimeType: 'text/plain', text: words } });
const saying = (...content) => ({ content });

const choices = (...values) => values.map((value) => ({ const: value, title: `Title of ${value}` }));
const form = (properties) => ({ type: 'object', properties, required: [] });

const DEFAULTS = form({
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
});

const ENUMS = form({
  untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  titledSingle: { type: 'string', oneOf: choices('value1', 'value2', 'value3') },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
  titledMulti: { type: 'array', items: { anyOf: choices('value1', 'value2', 'value3') } },
});

const anything = z.looseObject({});

/** What a tool gets beside its arguments: `ask` and `tell` reach the client on the stream of the call. */
async function elicited({ ask }, message, requestedSchema) {
  const { action, content } = await ask('elicitation/create', { mode: 'form', message, requestedSchema });
  return saying(text(`action=${action}, content=${JSON.stringify(content ?? {})}`));
}

const TOOLS = {
  test_simple_text: () => saying(text('This is a simple text response for testing.')),
  test_image_content: () => saying(image),
  test_audio_content: () => saying(audio),
  test_embedded_resource: () => saying(embedded('test://embedded-resource', 'An embedded resource.')),
  test_multiple_content_types: () =>
    saying(text('Several types:'), image, embedded('test://mixed-content-resource', '{"test":"data","value":123}')),
  test_error_handling: () => ({ ...saying(text('This tool fails, as it should')), isError: true }),
  async test_tool_with_logging(_, { tell }) {
    for (const data of ['started', 'at work', 'done']) await tell('notifications/message', { level: 'info', data });
    return saying(text('logged'));
  },
  async test_tool_with_progress(_, { tell, progressToken }) {
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      await tell('notifications/progress', { progressToken, progress, total: 100 });
    }
    return saying(text('progressed'));
  },
  async test_sampling({ prompt }, { ask }) {
    const messages = [{ role: 'user', content: text(String(prompt)) }];
    const { content } = await ask('sampling/createMessage', { messages, maxTokens: 100 });
    return saying(text(`LLM response: ${content?.text}`));
  },
  test_elicitation: ({ message }, context) =>
    elicited(context, String(message), form({ username: { type: 'string' }, email: { type: 'string' } })),
  test_elicitation_sep1034_defaults: (_, context) => elicited(context, 'Check the defaults', DEFAULTS),
  test_elicitation_sep1330_enums: (_, context) => elicited(context, 'Choose', ENUMS),
  json_schema_2020_12_tool: (given) => saying(text(JSON.stringify(given))),
  async test_reconnection(_, { closeStream }) {
    closeStream?.();
    await sleep(100);
    return saying(text('answered after the stream was closed'));
  },
  // beyond the suite
  async roots(_, { ask }) {
    return saying(text(JSON.stringify(await ask('roots/list', {}))));
  },
  async visit_url(_, { ask }) {
    const params = { mode: 'url', message: 'Log in', url: 'https://example.com/login', elicitationId: 'visit-1' };
    return saying(text((await ask('elicitation/create', params)).action));
  },
  must_visit_url() {
    const elicitation = { mode: 'url', message: 'Log in', url: 'https://example.com/login', elicitationId: 'visit-2' };
    throw Object.assign(new Error('Log in first'), { code: -32042, data: { elicitations: [elicitation] } });
  },
  async url_visited({ elicitationId }, { say }) {
    await say('notifications/elicitation/complete', { elicitationId });
    return saying(text('told'));
  },
  async touch({ uri }, { say }) {
    await say('notifications/resources/updated', { uri });
    return saying(text('touched'));
  },
  async grow(_, { say, state }) {
    state.grown += 1;
    for (const kind of ['resources', 'prompts', 'tools']) await say(`notifications/${kind}/list_changed`, {});
    return saying(text('grown'));
  },
  link: ({ uri }) => saying({ type: 'resource_link', uri: String(uri), name: 'a link' }),
  rich: () => ({ ...saying(text('{"n":1}')), structuredContent: { n: 1 }, _meta: { 'example.com/kept': true } }),
  async wait(_, { signal, state }) {
    state.waiting += 1;
    await new Promise((done) => signal.addEventListener('abort', done));
    state.cancelled += 1;
    return saying(text('cancelled'));
  },
  state: (_, { state }) => saying(text(JSON.stringify(state))),
};

const JSON_SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
  additionalProperties: false,
};

const definitionOf = (name) => ({
  name,
  description: `The tool ${name}`,
  inputSchema: name === 'json_schema_2020_12_tool' ? JSON_SCHEMA_2020_12 : { type: 'object', properties: {} },
  ...(name === 'rich' && { icons: [{ src: 'data:image/png;base64,AA==' }], _meta: { 'example.com/kept': 1 } }),
});

const resource = (uri, more = {}) => ({
  uri,
  name: uri,
  description: `The resource ${uri}`,
  mimeType: 'text/plain',
  ...more,
});

const RESOURCES = [
  resource('test://static-text', { annotations: { audience: ['user'] } }),
  resource('test://static-binary', { mimeType: 'image/png' }),
  resource('test://watched-resource'),
];

const message = (content) => ({ role: 'user', content });
const argumentOf = (name) => ({ name, description: `The argument ${name}`, required: true });

const PROMPTS = {
  test_simple_prompt: { given: [], messages: () => [message(text('This is a simple prompt for testing.'))] },
  test_prompt_with_arguments: {
    given: ['arg1', 'arg2'],
    messages: ({ arg1, arg2 }) => [message(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  },
  test_prompt_with_embedded_resource: {
    given: ['resourceUri'],
    messages: ({ resourceUri }) => [message(embedded(resourceUri, 'Embedded.')), message(text('Read it.'))],
  },
  test_prompt_with_image: { given: [], messages: () => [message(image), message(text('Look at it.'))] },
};

function contentsOf(uri) {
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: PNG };
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
  if (id !== undefined)
    return { uri, mimeType: 'application/json', text: JSON.stringify({ id, data: `Data for ID: ${id}` }) };
  if (RESOURCES.some((each) => each.uri === uri) || uri.startsWith('test://grown/')) {
    return { uri, mimeType: 'text/plain', text: `The text of ${uri}` };
  }
  throw Object.assign(new Error(`no resource ${uri}`), { code: -32002, data: { uri } });
}

/** A new server; `closeStream` ends the event stream of a request, where the transport has such. */
export function everythingLike({ name = 'everything-like', closeStream = () => undefined } = {}) {
  const state = { grown: 0, waiting: 0, cancelled: 0, level: '', subscriptions: [], roots: 0 };
  const server = new Server(
    { name, version: '1.2.3', title: 'Everything' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
      },
      instructions: `Instructions of ${name}`,
    },
  );
  const grown = (make) => Array.from({ length: state.grown }, (_, index) => make(index + 1));
  const say = (method, params) => server.notification({ method, params });

  server.setRequestHandler(types.ListToolsRequestSchema, () => ({
    tools: [...Object.keys(TOOLS).map(definitionOf), ...grown((n) => definitionOf(`grown_${n}`))],
  }));
  server.setRequestHandler(types.CallToolRequestSchema, ({ params }, extra) => {
    const tool = TOOLS[params.name];
    if (!tool) throw Object.assign(new Error(`no tool ${params.name}`), { code: -32602 });
    return tool(params.arguments ?? {}, {
      state,
      say,
      signal: extra.signal,
      progressToken: params._meta?.progressToken,
      ask: (method, asked) => extra.sendRequest({ method, params: asked }, anything, { timeout: 60_000 }),
      tell: (method, said) => extra.sendNotification({ method, params: said }),
      closeStream: () => closeStream(extra.requestId),
    });
  });
  // two pages, so that readers of one miss half
  server.setRequestHandler(types.ListResourcesRequestSchema, ({ params }) =>
    params?.cursor
      ? { resources: [...RESOURCES.slice(2), ...grown((n) => resource(`test://grown/${n}`))] }
      : { resources: RESOURCES.slice(0, 2), nextCursor: '2' },
  );
  server.setRequestHandler(types.ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', mimeType: 'application/json' }],
  }));
  server.setRequestHandler(types.ReadResourceRequestSchema, ({ params }) => ({ contents: [contentsOf(params.uri)] }));
  server.setRequestHandler(types.SubscribeRequestSchema, ({ params }) => {
    state.subscriptions.push(params.uri);
    return {};
  });
  server.setRequestHandler(types.UnsubscribeRequestSchema, ({ params }) => {
    state.subscriptions = state.subscriptions.filter((uri) => uri !== params.uri);
    return {};
  });
  server.setRequestHandler(types.ListPromptsRequestSchema, () => ({
    prompts: [
      ...Object.entries(PROMPTS).map(([prompt, { given }]) => ({
        name: prompt,
        description: `The prompt ${prompt}`,
        arguments: given.map(argumentOf),
      })),
      ...grown((n) => ({ name: `grown_${n}` })),
    ],
  }));
  server.setRequestHandler(types.GetPromptRequestSchema, ({ params }) => {
    const prompt = PROMPTS[params.name];
    if (!prompt) throw Object.assign(new Error(`no prompt ${params.name}`), { code: -32602 });
    return { messages: prompt.messages(params.arguments ?? {}) };
  });
  server.setRequestHandler(types.CompleteRequestSchema, ({ params }) => {
    const { ref, argument } = params;
    const values = ['paris', 'party', `${ref.name ?? ref.uri}`].filter((value) => value.startsWith(argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
  server.setRequestHandler(types.SetLevelRequestSchema, ({ params }) => {
    state.level = params.level;
    return {};
  });
  server.setNotificationHandler(types.RootsListChangedNotificationSchema, () => {
    state.roots += 1;
  });
  return server;
}

/** A memory of events, so that streams can be read on after they were closed. */
function eventStore() {
  const events = [];
  return {
    async storeEvent(streamId, said) {
      events.push({ streamId, said });
      return `${streamId}_${events.length}`;
    },
    async replayEventsAfter(lastEventId, { send }) {
      const at = Number(lastEventId.slice(lastEventId.lastIndexOf('_') + 1));
      const { streamId } = events[at - 1] ?? {};
      for (const [index, event] of events.entries()) {
        const isLater = index >= at && event.streamId === streamId;
        if (isLater && Object.keys(event.said).length > 0) await send(`${streamId}_${index + 1}`, event.said);
      }
      return streamId;
    },
  };
}

/** The same over streamable HTTP on 127.0.0.1, with sessions and streams that can be resumed. */
export async function startEverythingLike({ name, port = 0 } = {}) {
  const sessions = new Map();
  const http = createServer(async (request, response) => {
    const id = request.headers['mcp-session-id'];
    let transport = sessions.get(id);
    if (!transport && id) return response.writeHead(404).end('Session not found');
    if (!transport) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        eventStore: eventStore(),
        retryInterval: 50,
        onsessioninitialized: (session) => sessions.set(session, transport),
      });
      const opened = transport;
      await everythingLike({ name, closeStream: (requestId) => opened.closeSSEStream(requestId) }).connect(transport);
    }
    await transport.handleRequest(request, response);
  });
  await new Promise((listening) => http.listen(port, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${http.address().port}/mcp`,
    sessions,
    async close() {
      http.closeAllConnections();
      await new Promise((closed) => http.close(closed));
    },
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdin.on('end', () => process.exit(0));
  await everythingLike({ name: process.argv[2] ?? 'everything-like' }).connect(new StdioServerTransport());
}
