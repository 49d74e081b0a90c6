import { z } from 'zod';
import { endpointSlug, whiteList } from './schema.ts';

const chosenTools = z
  .looseObject({
    mcp_client_id: z.string().min(1).optional(),
    mcp_client_name: z.string().min(1).optional(),
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
  id: z.union([z.string().min(1), z.number().int().nonnegative()]).optional(),
  name: z.string().refine((name) => name.trim() !== '', { message: 'name is required' }),
  endpoint_slug: endpointSlug.optional(),
  description: z.string().optional(),
  enabled: z.boolean().default(true),
  tools: z.array(chosenTools).default([]),
  virtual_key_ids: z.array(z.string()).default([]),
});

export type VirtualMcpConfig = z.output<typeof virtualMcp>;
