import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, startGatewayHere } from '../support/gateway.ts';
import { serverFile } from '../support/mcp-clients.ts';

let gateway: Gateway;
const open: Client[] = [];

beforeAll(async () => {
  const server = (name: string, mode: string) => ({
    name,
    connection_type: 'stdio',
    stdio_config: { command: process.execPath, args: [serverFile('catalog.mjs'), name] },
    tools_to_execute: ['*'],
    tools_to_auto_execute: ['list_customers', 'open_amount'],
    tool_mode: mode,
  });
  const clients = [server('crm', 'code'), server('mail', 'search'), server('billing', 'compact')];
  gateway = await startGatewayHere({ mcp: { client_configs: clients } });
});

afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
});
afterAll(() => gateway.stop());

/** A client of the official SDK; `answer`: what its user says to a question. */
async function connected(answer?: 'accept' | 'decline' | 'cancel', path = '/mcp') {
  const asked: string[] = [];
  const client = new Client({ name: 'test', version: '1' }, { capabilities: answer ? { elicitation: {} } : {} });
  if (answer) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push(params.message);
      return { action: answer, ...(answer === 'accept' && { content: {} }) };
    });
  }
  // the SDK's own transport types disagree on optional members
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}${path}`)) as never);
  open.push(client);
  const run = async (name: string, args: Record<string, unknown>): Promise<string> => {
    const { content } = await client.callTool({ name, arguments: args });
    const [block] = Array.isArray(content) ? content : [];
    return String(block?.text);
  };
  return { client, asked, run };
}

const DELETION = "try { return await crm.delete_customer({ id: 'c1' }); } catch (e) { return e.message; }";

describe('tool modes at /mcp', () => {
  test('the list holds what each mode gives, and every definition is complete', async () => {
    const { client } = await connected();
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names.filter((name) => !name.startsWith('billing-'))).toEqual([
      'listToolFiles',
      'readToolFile',
      'getToolDocs',
      'executeToolCode',
      'searchTools',
      'getToolDetails',
      'executeTool',
    ]);
    expect(names).toHaveLength(57);
    expect(tools.every(({ inputSchema }) => inputSchema.type === 'object')).toBe(true);
    expect(tools.find(({ name }) => name === 'billing-open_amount')?.description).toBeUndefined();
    expect(tools.find(({ name }) => name === 'executeToolCode')?.description).toMatch(/TypeScript/);
  });

  test('the address of one client has its tools as they are', async () => {
    const { client, run } = await connected(undefined, '/mcp/crm');
    const { tools } = await client.listTools();
    expect(tools).toHaveLength(50);
    expect(tools.map(({ name }) => name)).toContain('delete-customer');
    expect(await run('list_customers', { country: 'US' })).toContain('Grace');
  });

  test('code runs, and the meta tools around it answer', async () => {
    const { run } = await connected();
    expect(await run('listToolFiles', {})).toBe('servers/crm.d.ts');
    expect(await run('readToolFile', { fileName: 'CRM', startLine: 4, endLine: 6 })).toMatch(
      /^\/\/ Total lines: \d+ \(lines 4 to 6 are shown\)\ndeclare const crm: \{\n {2}crm_report_03\(/,
    );
    expect(await run('getToolDocs', { server: 'crm', tool: 'delete_customer' })).toMatch(
      /Deletes a customer for good\.[\s\S]*must be allowed[\s\S]*id \(string, required\): The id of the customer/,
    );
    expect(await run('executeToolCode', { code: 'return (await crm.list_customers({})).customers.length' })).toContain(
      'Return value: 3',
    );
  });

  test('the client is asked about a nested call that does not run by itself', async () => {
    const yes = await connected('accept');
    expect(await yes.run('executeToolCode', { code: DELETION })).toContain('"deleted"');
    expect(yes.asked).toEqual(['A script wants to call crm-delete-customer with {"id":"c1"}. May it?']);
  });

  test.each(['decline', 'cancel'] as const)('a client that says %s keeps the call from running', async (answer) => {
    const { run, asked } = await connected(answer);
    expect(await run('executeToolCode', { code: DELETION })).toContain(
      'the call of crm-delete-customer was not allowed',
    );
    expect(asked).toHaveLength(1);
  });

  test('where nobody can be asked, the call fails inside of the script, in words that say what to do', async () => {
    const { run } = await connected();
    expect(await run('executeToolCode', { code: DELETION })).toContain(
      'crm-delete-customer must be allowed before it runs, and nobody can be asked here',
    );
  });

  test('search finds, details tell, and a tool runs as a direct call would', async () => {
    const { run } = await connected();
    expect(JSON.parse(await run('searchTools', { query: 'reminders', server: 'mail' }))).toMatchObject({
      tools: [{ tool: 'mail-send_reminder' }],
    });
    expect(await run('searchTools', { query: 'reminders', server: 'crm' })).toMatch(/^No tool matches on server "crm"/);
    expect(JSON.parse(await run('getToolDetails', { tool: 'mail-send_reminder' }))).toMatchObject({ server: 'mail' });
    expect(await run('executeTool', { tool: 'mail-send_reminder', arguments: '{"to":"Ada","amount":3}' })).toBe(
      'sent to Ada: 3',
    );
  });

  test('a client that leaves ends its script', async () => {
    const { client } = await connected();
    const leaving = new AbortController();
    const running = client.callTool(
      { name: 'executeToolCode', arguments: { code: 'for (;;) await crm.list_customers({});' } },
      undefined,
      {
        signal: leaving.signal,
      },
    );
    leaving.abort('enough');
    await expect(running).rejects.toThrow('enough');
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
  });
});
