import { describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { post } from '../support/gateway.ts';
import { serverFile } from '../support/mcp-clients.ts';
import { scriptedStrict } from '../support/scripted-strict.ts';
import { objectOf, objectsOf, type StrictRequest, textOf } from '../support/strict-server.ts';

// OpenAI and Groq refuse a request with more than 128 tools; here are 150, beside those of the client.

const catalogServer = (name: string) => ({
  name,
  connection_type: 'stdio',
  stdio_config: { command: process.execPath, args: [serverFile('catalog.mjs'), name] },
  tools_to_execute: ['*'],
  tools_to_auto_execute: ['list_customers', 'open_amount'],
});

const strict = scriptedStrict({
  client: { enable_logging: true },
  mcp: { client_configs: ['crm', 'billing', 'mail'].map(catalogServer) },
});

const SEARCH = ['executeTool', 'getToolDetails', 'searchTools'];
const SEARCH_AND_OWN = ['executeTool', 'getToolDetails', 'own_0', 'own_1', 'searchTools'];

const toolNames = ({ body }: StrictRequest): string[] =>
  objectsOf(body.tools).flatMap(({ name, function: named, functionDeclarations }) => [
    ...[name, objectOf(named).name].map(textOf).filter((word) => word !== ''),
    ...objectsOf(functionDeclarations).map((declared) => textOf(declared.name)),
  ]);

const own = (count: number): JsonObject[] =>
  Array.from({ length: count }, (_, at) => ({
    name: `own_${at}`,
    description: 'One of its own',
    input_schema: { type: 'object', properties: {} },
  }));

async function ask(model: string, tools: JsonObject[], more: readonly JsonObject[] = []): Promise<JsonObject> {
  const messages = [{ role: 'user', content: 'Who is in Britain?' }, ...more];
  const response = await post(`${strict.url}/anthropic/v1/messages`, { model, max_tokens: 100, messages, tools });
  const body: unknown = await response.json();
  expect(response.status, JSON.stringify(body)).toBe(200);
  return isObject(body) ? body : {};
}

describe.each([
  ['openai/gpt-5', 'openai'],
  ['openai/gpt-4o', 'openai'],
  ['groq/llama-3.3-70b', 'groq'],
] as const)('%s, which takes 128 tools', (model, provider) => {
  test('is given a search in place of the tools of MCP clients, and runs what it finds', async () => {
    strict.script = [
      { calls: [{ name: 'searchTools', input: { query: 'list customers by country' } }] },
      { calls: [{ name: 'executeTool', input: { tool: 'crm-list_customers', arguments: { country: 'GB' } } }] },
      { text: 'Ada and Alan.' },
    ];
    expect(await ask(model, own(2))).toMatchObject({ stop_reason: 'end_turn' });
    const asked = strict.upstreams[provider].accepted;
    expect(strict.upstreams[provider].refused).toEqual([]);
    expect(asked.map((request) => toolNames(request).toSorted())).toEqual([
      SEARCH_AND_OWN,
      SEARCH_AND_OWN,
      SEARCH_AND_OWN,
    ]);
    const [, searched, ran] = asked.map(({ body }) => JSON.stringify(body));
    expect(searched).toContain('crm-list_customers');
    expect(ran).toContain('Alan');
  });

  test('may call what it found, or called before, by its own name', async () => {
    strict.script = [{ calls: [{ name: 'crm-list_customers', input: { country: 'GB' } }] }, { text: 'Ada and Alan.' }];
    expect(await ask(model, own(2))).toMatchObject({ stop_reason: 'end_turn' });
    expect(JSON.stringify(strict.upstreams[provider].accepted[1]?.body)).toContain('Alan');
  });

  test('asks the client where the tool that was found does not run by itself', async () => {
    strict.script = [
      { calls: [{ name: 'executeTool', input: { tool: 'crm-delete-customer', arguments: { id: 'c2' } } }] },
      { text: 'It is gone.' },
    ];
    const first = await ask(model, own(2));
    const handed = objectsOf(first.content).find(({ type }) => type === 'tool_use');
    expect(handed).toMatchObject({ name: 'crm-delete-customer', input: { id: 'c2' } });
    const result = { type: 'tool_result', tool_use_id: handed?.id ?? '', content: 'deleted c2' };
    const turns = [
      { role: 'assistant', content: first.content ?? [] },
      { role: 'user', content: [result] },
    ];
    expect(objectsOf((await ask(model, own(2), turns)).content).at(-1)).toMatchObject({ text: 'It is gone.' });
    expect(JSON.stringify(strict.upstreams[provider].accepted.at(-1)?.body)).toContain('deleted c2');
  });

  test('is given none of them where the client has as many of its own, and answers', async () => {
    strict.script = [{ text: 'Hello.' }];
    await ask(model, own(126));
    const [asked] = strict.upstreams[provider].accepted;
    expect(asked && toolNames(asked)).toHaveLength(126);
  });
});

test.each([
  ['anthropic/claude-sonnet-4-5', 'anthropic'],
  ['gemini/gemini-2.5-pro', 'gemini'],
] as const)('%s takes them all', async (model, provider) => {
  strict.script = [{ text: 'Hello.' }];
  await ask(model, own(2));
  const [asked] = strict.upstreams[provider].accepted;
  expect(asked && toolNames(asked)).toHaveLength(152);
});

test('a fallback that takes fewer decides, and the log says what became of them', async () => {
  strict.script = [{ text: 'Hello.' }];
  const response = await post(`${strict.url}/v1/chat/completions`, {
    model: 'anthropic/claude-sonnet-4-5',
    fallbacks: ['groq/llama-3.3-70b'],
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(await response.json()).toMatchObject({
    extra_fields: {
      losses: expect.arrayContaining([
        {
          field: 'tools',
          action: 'rewritten',
          reason: 'tools of MCP clients, found by a search: anthropic/claude-sonnet-4-5 takes 128 at most',
          count: 150,
        },
      ]),
    },
  });
  const [asked] = strict.upstreams.anthropic.accepted;
  expect(asked && toolNames(asked).toSorted()).toEqual(SEARCH);
});
