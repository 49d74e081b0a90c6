import { z } from 'zod';
import { endpointSlug } from './schema.ts';
import { whiteList } from './white-list.ts';

const chosenTools = z
  .looseObject({
    mcp_client_id: z.string().min(1).optional().describe('The client whose tools they are; or mcp_client_name.'),
    mcp_client_name: z.string().min(1).optional().describe('The client whose tools they are; or mcp_client_id.'),
    tool_names: whiteList
      .nullish()
      .transform((names) => names ?? [])
      .describe('Names without the prefix. ["*"]: every tool of the client; []: none.'),
  })
  .refine((chosen) => chosen.mcp_client_id !== undefined || chosen.mcp_client_name !== undefined, {
    message: 'mcp_client_id or mcp_client_name is required',
  });

/** A chosen set of tools of several MCP clients, served at /mcp/<endpoint_slug>. */
export const virtualMcp = z.looseObject({
  id: z
    .union([z.string().min(1), z.number().int().nonnegative()])
    .optional()
    .describe('How the API names it; made of the name when absent.'),
  name: z
    .string()
    .refine((name) => name.trim() !== '', { message: 'name is required' })
    .describe('For people.'),
  endpoint_slug: endpointSlug.optional().describe('Served at /mcp/<slug>; made of the name when absent.'),
  description: z.string().optional().describe('Shown to clients as instructions.'),
  enabled: z.boolean().default(true).describe('false = not served.'),
  tools: z.array(chosenTools).default([]).describe('Its tools, client by client.'),
  virtual_key_ids: z
    .array(z.string())
    .default([])
    .describe('Virtual keys that get its tools beside those of their mcp_configs.'),
});

export type VirtualMcpConfig = z.output<typeof virtualMcp>;
