import { resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

export type ServerName = 'filesystem' | 'fetch' | 'memory' | 'time';

const mainOf = (name: ServerName): string => resolve(import.meta.dirname, `../../mcp-servers/${name}/main.ts`);

export const nodeArgumentsOf = (name: ServerName, ...serverArguments: string[]): string[] => [
  '--import',
  'tsx',
  mainOf(name),
  ...serverArguments,
];

/** One real server process, spoken to over stdio like any MCP client does. */
export interface ServerProcess {
  readonly client: Client;
  /** The whole result, whether it is an error or not. */
  call(tool: string, toolArguments?: Record<string, unknown>): Promise<CallToolResult>;
  /** The texts of a call that must succeed. */
  textOf(tool: string, toolArguments?: Record<string, unknown>): Promise<string>;
  /** The structured content of a call that must succeed. */
  dataOf(tool: string, toolArguments?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The text of a call that must fail. */
  errorOf(tool: string, toolArguments?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

const textsOf = (result: CallToolResult): string =>
  result.content.map((block) => (block.type === 'text' ? block.text : `<${block.type}>`)).join('\n');

interface StartOptions {
  readonly env?: Record<string, string>;
}

export async function startServer(
  name: ServerName,
  serverArguments: string[] = [],
  { env = {} }: StartOptions = {},
): Promise<ServerProcess> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: nodeArgumentsOf(name, ...serverArguments),
    env: { PATH: process.env.PATH ?? '', ...env },
    stderr: 'inherit',
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  // The client checks structured content against a tool's output schema only once it has seen the list.
  await client.listTools();

  const call: ServerProcess['call'] = async (tool, toolArguments = {}) =>
    (await client.callTool({ name: tool, arguments: toolArguments })) as CallToolResult;
  const succeeded: ServerProcess['call'] = async (tool, toolArguments) => {
    const result = await call(tool, toolArguments);
    if (result.isError) throw new Error(`${tool} failed: ${textsOf(result)}`);
    return result;
  };
  return {
    client,
    call,
    textOf: async (tool, toolArguments) => textsOf(await succeeded(tool, toolArguments)),
    dataOf: async (tool, toolArguments) => (await succeeded(tool, toolArguments)).structuredContent ?? {},
    errorOf: async (tool, toolArguments) => {
      const result = await call(tool, toolArguments);
      if (!result.isError) throw new Error(`${tool} should fail, but said: ${textsOf(result)}`);
      return textsOf(result);
    },
    close: () => client.close(),
  };
}
