import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/mcp/contract.ts';
import { searchingClients } from '../../src/rooms/mcp.ts';
import { eventually, type Gateway, keyed, post, startGatewayHere } from '../support/gateway.ts';
import { json, startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;
let gateway: Gateway;

beforeAll(async () => {
  upstream = await startUpstream();
  const at = keyed(`${upstream.url}/v1`);
  gateway = await startGatewayHere({
    providers: {
      openai: at,
      groq: at,
      openrouter: at,
      perplexity: at,
      anthropic: keyed(upstream.url),
      gemini: keyed(upstream.url),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const chatAnswer = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'found' }, finish_reason: 'stop' }],
};
const responsesAnswer = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-5',
  status: 'completed',
  output: [
    {
      id: 'ws_1',
      type: 'web_search_call',
      status: 'completed',
      action: { type: 'search', query: 'rain', sources: [{ type: 'url', url: 'https://rain.example' }] },
    },
    { id: 'msg_1', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'It rains.' }] },
  ],
};
const messagesAnswer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'found' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
};
const geminiAnswer = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'found' }] }, finishReason: 'STOP', index: 0 }],
};

/** What the upstream was sent for a request to the gateway. */
async function sent(path: string, body: object, answer: object): Promise<Record<string, unknown>> {
  upstream.answers(json(answer));
  const response = await post(`${gateway.url}${path}`, body);
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  return JSON.parse(String(upstream.requests.at(-1)?.body)) as Record<string, unknown>;
}

const place = { type: 'approximate', city: 'Ulm', country: 'DE' };
const messages = [{ role: 'user', content: 'Rain?' }];
const asMessages = (model: string, more: object = {}) => ({
  model,
  max_tokens: 99,
  messages,
  tools: [
    {
      type: 'web_search_20250305',
      name: 'web_search',
      max_uses: 8,
      allowed_domains: ['a.example'],
      user_location: place,
    },
  ],
  ...more,
});

describe('a hosted web search, asked for in one format and given in another', () => {
  test('F9 Messages to OpenAI: the Responses API searches, with its sources told', async () => {
    const body = await sent('/anthropic/v1/messages', asMessages('openai/gpt-5'), responsesAnswer);
    expect(upstream.requests.at(-1)?.path).toBe('/v1/responses');
    expect(body.tools).toEqual([
      { type: 'web_search', filters: { allowed_domains: ['a.example'] }, user_location: place },
    ]);
    expect(body.include).toContain('web_search_call.action.sources');
  });

  test.each(['whole', 'streamed'])('F9 the client is shown the search and what it found: %s', async (how) => {
    upstream.answers(json(responsesAnswer));
    const client = new Anthropic({ apiKey: 'any', maxRetries: 0, baseURL: `${gateway.url}/anthropic` });
    const body = asMessages('openai/gpt-5') as unknown as Anthropic.MessageCreateParamsNonStreaming;
    const answer =
      how === 'whole' ? await client.messages.create(body) : await client.messages.stream(body).finalMessage();
    expect(answer.content).toMatchObject([
      { type: 'server_tool_use', name: 'web_search', input: { query: 'rain' } },
      { type: 'web_search_tool_result', content: [{ type: 'web_search_result', url: 'https://rain.example' }] },
      { type: 'text', text: 'It rains.' },
    ]);
    const back = {
      model: 'anthropic/claude',
      max_tokens: 9,
      messages: [...messages, { role: 'assistant', content: answer.content }, ...messages],
    };
    const next = await sent('/anthropic/v1/messages', back, messagesAnswer);
    expect(JSON.stringify(next)).not.toContain('encrypted_content');
  });

  test('Messages to OpenRouter: a plugin', async () => {
    const body = await sent('/anthropic/v1/messages', asMessages('openrouter/x/y'), chatAnswer);
    expect(body.plugins).toEqual([{ id: 'web', max_results: 8 }]);
    expect(body.tools).toBeUndefined();
  });

  test('Messages to Perplexity: options', async () => {
    const body = await sent('/anthropic/v1/messages', asMessages('perplexity/sonar'), chatAnswer);
    expect(body.web_search_options).toEqual({
      user_location: { type: 'approximate', approximate: { city: 'Ulm', country: 'DE' } },
    });
  });

  test('Responses to Anthropic: its tool', async () => {
    const tools = [{ type: 'web_search', filters: { allowed_domains: ['a.example'] }, user_location: place }];
    const body = await sent('/v1/responses', { model: 'anthropic/claude', input: 'Rain?', tools }, messagesAnswer);
    expect(body.tools).toEqual([
      { type: 'web_search_20250305', name: 'web_search', allowed_domains: ['a.example'], user_location: place },
    ]);
  });

  test('Chat to Anthropic and to Gemini', async () => {
    const asked = {
      messages,
      web_search_options: { user_location: { type: 'approximate', approximate: { city: 'Ulm' } } },
    };
    const claude = await sent('/v1/chat/completions', { ...asked, model: 'anthropic/claude' }, messagesAnswer);
    expect(claude.tools).toMatchObject([
      { type: 'web_search_20250305', user_location: { type: 'approximate', city: 'Ulm' } },
    ]);
    const gemini = await sent('/v1/chat/completions', { ...asked, model: 'gemini/gemini-2.5-pro' }, geminiAnswer);
    expect(gemini.tools).toEqual([{ googleSearch: {} }]);
  });

  test('Gemini to Anthropic', async () => {
    const contents = [{ role: 'user', parts: [{ text: 'Rain?' }] }];
    const path = '/genai/v1beta/models/anthropic/claude:generateContent';
    const body = await sent(path, { contents, tools: [{ googleSearch: {} }] }, messagesAnswer);
    expect(body.tools).toEqual([{ type: 'web_search_20250305', name: 'web_search' }]);
  });

  test.each([
    ['web_search_20250305', 'web_search'],
    ['code_execution_20250825', 'code_execution'],
    ['web_fetch_20250910', 'web_fetch'],
  ])('%s at a provider without one is dropped, with a hint in the ledger', async (type, name) => {
    const tools = [{ type, name }];
    const body = await sent('/anthropic/v1/messages', asMessages('groq/llama', { tools }), chatAnswer);
    expect(body.tools).toBeUndefined();
  });

  test('the log of the call says what was dropped, and what to use instead', async () => {
    upstream.answers(json(chatAnswer));
    const tools = [{ type: 'code_interpreter' }, { type: 'web_search' }];
    const answer = await post(`${gateway.url}/v1/responses`, { model: 'groq/llama', input: 'Rain?', tools });
    const id = answer.headers.get('x-bifrost-request-id');
    const logged = await eventually(
      async () => (await fetch(`${gateway.url}/api/logs/${id}`)).text(),
      (text) => text.includes('groq'),
    );
    expect(logged).toContain('only its own vendor runs');
    expect(logged).toContain('offer the tools of an MCP client in its place');
  });

  test('a chat answer tells in its own ledger that its search was put in other words', async () => {
    upstream.answers(json(geminiAnswer));
    const body = { model: 'gemini/gemini-2.5-pro', messages, web_search_options: {} };
    const answer = await post(`${gateway.url}/v1/chat/completions`, body);
    const { extra_fields } = (await answer.json()) as { extra_fields: { losses: object[] } };
    expect(extra_fields.losses).toContainEqual(
      expect.objectContaining({ field: 'web_search_options', action: 'rewritten' }),
    );
  });

  test('the hint names the configured MCP clients that search or fetch', () => {
    const tool = (clientName: string, upstreamName: string) => ({ clientName, upstreamName });
    const hint = (...tools: object[]) => searchingClients({ catalog: { tools } as unknown as Catalog });
    expect(hint(tool('tavily', 'tavily_search'), tool('tavily', 'extract'), tool('web', 'fetch'))).toBe(
      'use the MCP client "tavily" or "web" of this gateway in its place',
    );
    expect(hint(tool('clock', 'now'))).toBeUndefined();
  });
});

describe('typed tools that the client runs, on models that do not know them', () => {
  test('A17 bash, text editor, computer and memory have their documented input; told by type, not by name', async () => {
    const tools = [
      { type: 'bash_20250124', name: 'bash' },
      { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' },
      { type: 'computer_20250124', name: 'computer', display_width_px: 1024, display_height_px: 768 },
      { type: 'memory_20250818', name: 'memory' },
      { name: 'bash_of_mine', input_schema: { type: 'object', properties: {} } },
    ];
    const body = await sent('/anthropic/v1/messages', asMessages('groq/llama', { tools }), chatAnswer);
    const functions = (body.tools as { function: { name: string; parameters: { properties: object } } }[]).map(
      (tool) => tool.function,
    );
    expect(functions.map(({ name, parameters }) => [name, Object.keys(parameters.properties).slice(0, 2)])).toEqual([
      ['bash', ['command', 'restart']],
      ['str_replace_based_edit_tool', ['command', 'path']],
      ['computer', ['action', 'coordinate']],
      ['memory', ['command', 'path']],
      ['bash_of_mine', []],
    ]);
  });

  test('the vendor gets them as they came', async () => {
    const tools = [{ type: 'bash_20250124', name: 'bash' }];
    const body = await sent('/anthropic/v1/messages', asMessages('anthropic/claude', { tools }), messagesAnswer);
    expect(body.tools).toEqual(tools);
  });
});

describe('server tools at the vendor itself', () => {
  test('pass byte for byte: MCP servers and tool search of Messages', async () => {
    const body = {
      model: 'claude',
      max_tokens: 9,
      messages,
      mcp_servers: [
        { type: 'url', name: 'inside', url: 'http://127.0.0.1:9/mcp', authorization_token: 'token-0123456789' },
      ],
      tools: [
        { type: 'mcp_toolset', mcp_server_name: 'inside' },
        { type: 'tool_search_tool_bm25_20251119', name: 'tool_search_tool_bm25' },
      ],
    };
    expect(await sent('/anthropic/v1/messages', body, messagesAnswer)).toEqual(body);
  });

  test('pass byte for byte: tools of type mcp of Responses', async () => {
    const tools = [{ type: 'mcp', server_label: 'mail', connector_id: 'connector_gmail' }, { type: 'tool_search' }];
    const body = { model: 'gpt-5', input: 'Hi', tools };
    expect(await sent('/v1/responses', { ...body, model: 'openai/gpt-5' }, responsesAnswer)).toEqual(body);
  });
});
