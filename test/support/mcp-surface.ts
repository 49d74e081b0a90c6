import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  type ClientCapabilities,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Gateway, startGatewayHere } from './gateway.ts';
import { serverFile } from './mcp-clients.ts';
import { type EverythingLike, startEverythingLike } from './mcp-servers/everything-like.mjs';

export interface Said {
  readonly method: string;
  readonly params?: Record<string, unknown> | undefined;
}

export interface Connected {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
  /** Every notification that came, in order. */
  readonly said: Said[];
}

export interface ConnectOptions {
  readonly capabilities?: ClientCapabilities;
  readonly headers?: Record<string, string>;
  /** Stands in what the client answers, so that a test sees who was asked. */
  readonly name?: string;
  /** URIs; one with the name in it when absent. */
  readonly roots?: readonly string[];
}

/** A client that answers everything it is asked. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Connected> {
  const { capabilities = {}, headers = {}, name = 'client', roots = [`file:///${name}`] } = options;
  const client = new Client({ name, version: '1' }, { capabilities });
  const said: Said[] = [];
  client.fallbackNotificationHandler = async (notification) => void said.push(notification);
  if (capabilities.sampling) {
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
      const [message] = params.messages;
      const asked = message && 'text' in message.content ? message.content.text : '';
      return { role: 'assistant', model: name, content: { type: 'text', text: `${name} heard: ${asked}` } };
    });
  }
  if (capabilities.elicitation) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
      action: 'accept',
      ...(params.mode !== 'url' && { content: { username: name } }),
    }));
  }
  if (capabilities.roots) {
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: roots.map((uri) => ({ uri })) }));
  }
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  await client.connect(transport);
  return { client, transport, said };
}

export interface Surface {
  readonly url: string;
  readonly upstream: EverythingLike;
  /** A client that is closed after the test. */
  connect(path: string, options?: ConnectOptions): Promise<Connected>;
}

/** The whole gateway before the server with every feature, as `web` over HTTP and as `pipe` on stdio; one for a file. */
export function surface(more: readonly object[] = []): Surface {
  const open: Connected[] = [];
  let upstream: EverythingLike | undefined;
  let gateway: Gateway | undefined;
  beforeAll(async () => {
    upstream = await startEverythingLike({ name: 'web-server' });
    const args = [serverFile('everything-like.mjs'), 'pipe-server'];
    const stdio_config = { command: process.execPath, args };
    gateway = await startGatewayHere({
      mcp: {
        // some calls wait until hundreds of others do
        tool_manager_config: { tool_execution_timeout: 300 },
        client_configs: [
          { name: 'web', connection_type: 'http', connection_string: upstream.url, tools_to_execute: ['*'] },
          { name: 'pipe', connection_type: 'stdio', stdio_config, tools_to_execute: ['*'], endpoint_slug: 'the-pipe' },
          ...more,
        ],
      },
    });
    // the answer comes once the servers are there
    await fetch(`${gateway.url}/mcp`, { method: 'DELETE' });
  });
  afterEach(async () => {
    for (const { client, transport } of open.splice(0)) {
      await transport.terminateSession().catch(() => undefined);
      await client.close();
    }
  });
  afterAll(async () => {
    await gateway?.stop();
    await upstream?.close();
  });
  return {
    get url() {
      return gateway?.url ?? '';
    },
    get upstream() {
      if (!upstream) throw new Error('the upstream server is not up');
      return upstream;
    },
    async connect(path, options) {
      const connected = await connect(`${gateway?.url}${path}`, options);
      open.push(connected);
      return connected;
    },
  };
}

/** The first text of a tool result. */
export function textIn(result: unknown): string {
  const { content } = result as { content: { text?: string }[] };
  return content[0]?.text ?? '';
}
