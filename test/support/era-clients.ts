import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** What a client gives when it is asked; the same in both eras. */
const ANSWERS = {
  elicitation: { action: 'accept' as const, content: { name: 'Ada' } },
  sampling: { role: 'assistant' as const, model: 'small', content: { type: 'text' as const, text: 'forty-two' } },
  roots: { roots: [{ uri: 'file:///home/ada', name: 'home' }] },
};

const CAPABILITIES = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } };
const NOTHING = {};

export interface CallOptions {
  readonly onprogress?: (progress: { progress: number; total?: number | undefined }) => void;
  readonly signal?: AbortSignal;
}

interface Listed {
  readonly name: string;
}

/** The SDK's client of one era, as far as the table of eras uses it. */
export interface EraClient {
  readonly version: string | undefined;
  readonly instructions: string | undefined;
  listTools(): Promise<readonly Listed[]>;
  callTool(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<Record<string, unknown>>;
  listResources(): Promise<readonly { uri: string }[]>;
  listTemplates(): Promise<readonly { uriTemplate: string }[]>;
  readResource(uri: string): Promise<readonly object[]>;
  listPrompts(): Promise<readonly Listed[]>;
  getPrompt(name: string, args: Record<string, string>): Promise<readonly object[]>;
  complete(ref: PromptOrResource, argument: { name: string; value: string }): Promise<readonly string[]>;
  /** Resolves once the client hears of changes. */
  onToolsChanged(listener: () => void): Promise<void>;
  onResourceUpdated(uri: string, listener: (uri: string) => void): Promise<void>;
  close(): Promise<void>;
}

type PromptOrResource = { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string };

export type Connect = (url: string, options?: { mute?: boolean }) => Promise<EraClient>;

const info = { name: 'table-client', version: '1.0.0' };

/** Up to 2025-11-25, by the first major of the SDK. `mute`: can be asked nothing. */
export const legacyClient: Connect = async (url, { mute = false } = {}) => {
  const client = new LegacyClient(info, { capabilities: mute ? NOTHING : CAPABILITIES });
  if (!mute) {
    client.setRequestHandler(ElicitRequestSchema, () => ANSWERS.elicitation);
    client.setRequestHandler(CreateMessageRequestSchema, () => ANSWERS.sampling);
    client.setRequestHandler(ListRootsRequestSchema, () => ANSWERS.roots);
  }
  const transport = new LegacyTransport(new URL(url));
  await client.connect(transport);
  return {
    version: transport.protocolVersion,
    instructions: client.getInstructions(),
    listTools: async () => (await client.listTools()).tools,
    callTool: (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, undefined, options),
    listResources: async () => (await client.listResources()).resources,
    listTemplates: async () => (await client.listResourceTemplates()).resourceTemplates,
    readResource: async (uri) => (await client.readResource({ uri })).contents,
    listPrompts: async () => (await client.listPrompts()).prompts,
    getPrompt: async (name, args) => (await client.getPrompt({ name, arguments: args })).messages,
    complete: async (ref, argument) => (await client.complete({ ref, argument })).completion.values,
    onToolsChanged: async (listener) => client.setNotificationHandler(ToolListChangedNotificationSchema, listener),
    onResourceUpdated: async (uri, listener) => {
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => listener(params.uri));
      await client.subscribeResource({ uri });
    },
    close: () => client.close(),
  };
};

/** 2026-07-28, by the second major of the SDK, and nothing older. */
export const modernClient: Connect = async (url, { mute = false } = {}) => {
  const client = new ModernClient(info, {
    capabilities: mute ? NOTHING : CAPABILITIES,
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  });
  if (!mute) {
    client.setRequestHandler('elicitation/create', () => ANSWERS.elicitation);
    client.setRequestHandler('sampling/createMessage', () => ANSWERS.sampling);
    client.setRequestHandler('roots/list', () => ANSWERS.roots);
  }
  await client.connect(new ModernTransport(new URL(url)));
  return {
    version: client.getNegotiatedProtocolVersion(),
    instructions: client.getInstructions(),
    listTools: async () => (await client.listTools()).tools,
    callTool: (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, options),
    listResources: async () => (await client.listResources()).resources,
    listTemplates: async () => (await client.listResourceTemplates()).resourceTemplates,
    readResource: async (uri) => (await client.readResource({ uri })).contents,
    listPrompts: async () => (await client.listPrompts()).prompts,
    getPrompt: async (name, args) => (await client.getPrompt({ name, arguments: args })).messages,
    complete: async (ref, argument) => (await client.complete({ ref, argument })).completion.values,
    onToolsChanged: async (listener) => {
      client.setNotificationHandler('notifications/tools/list_changed', listener);
      await client.listen({ toolsListChanged: true });
    },
    onResourceUpdated: async (uri, listener) => {
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => listener(params.uri));
      await client.listen({ resourceSubscriptions: [uri] });
    },
    close: () => client.close(),
  };
};
