import { legacyClient } from '../support/era-clients.ts';
import { startGatewayHere } from '../support/gateway.ts';

// Plays a client scenario of the conformance suite: a gateway with the scenario's server as MCP client, and a client of
// the older era that uses it. The suite gives the server's address last, and the calls to make in the environment.

interface Scenario {
  readonly toolCalls?: readonly { name: string; arguments: Record<string, unknown> }[];
}

const scenario = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as Scenario;
const gateway = await startGatewayHere({
  mcp: {
    client_configs: [
      {
        name: 'reference',
        connection_type: 'http',
        connection_string: process.argv.at(-1) ?? '',
        tools_to_execute: ['*'],
      },
    ],
  },
});
const client = await legacyClient(`${gateway.url}/mcp/reference`);
const tools = await client.listTools();
const calls = scenario.toolCalls ?? tools.map(({ name }) => ({ name, arguments: { a: 5, b: 3 } }));
// a call that fails is for the suite to judge
for (const call of calls) await client.callTool(call.name, call.arguments).catch(() => undefined);
for (const { uri } of await client.listResources().catch(() => []))
  await client.readResource(uri).catch(() => undefined);
for (const { name } of await client.listPrompts().catch(() => []))
  await client.getPrompt(name, {}).catch(() => undefined);
await client.close();
await gateway.stop();
process.exit(0);
