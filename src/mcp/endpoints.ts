import type { McpClientConfig } from '../config/schema.ts';

/** The last part of an address made of a name: lower-case letters, digits, underscores, and hyphens for the rest. */
export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63) || 'mcp';

/** Whether /mcp/<slug> means this client: by its slug, or by its name as it is written in tool names. */
export const isClientSlug = (
  { name, endpoint_slug }: Pick<McpClientConfig, 'name' | 'endpoint_slug'>,
  slug: string,
): boolean => slug === (endpoint_slug ?? slugOf(name)) || slug === name;

interface VirtualEndpoint {
  readonly name: string;
  readonly endpoint_slug: string;
}

type ClientEndpoint = Pick<McpClientConfig, 'name' | 'endpoint_slug'>;

/** Who has a slug already, in words; undefined when it is free. */
export function ownerOfSlug(
  slug: string,
  virtualMcps: readonly VirtualEndpoint[],
  clients: readonly ClientEndpoint[],
): string | undefined {
  const virtualMcp = virtualMcps.find((each) => each.endpoint_slug === slug);
  if (virtualMcp) return `virtual MCP '${virtualMcp.name}'`;
  const client = clients.find((each) => isClientSlug(each, slug));
  return client && `MCP client '${client.name}'`;
}

/** Slugs of the config file that two want: the first virtual MCP has it, or else the client. */
export const slugClashes = (virtualMcps: readonly VirtualEndpoint[], clients: readonly ClientEndpoint[]): string[] =>
  virtualMcps.flatMap((each, index) => {
    const owner = ownerOfSlug(each.endpoint_slug, virtualMcps.slice(0, index), clients);
    if (!owner) return [];
    return `virtual MCP '${each.name}' and ${owner} both want /mcp/${each.endpoint_slug}; give one another endpoint_slug`;
  });
