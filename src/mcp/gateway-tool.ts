import type { JsonObject } from '../model/json.ts';
import type { CatalogTool, ToolAnnotations } from './contract.ts';

/** A tool that the gateway itself runs: it belongs to no client, so its name has no prefix, and it needs no approval. */
export const gatewayTool = (
  name: string,
  description: string,
  inputSchema: JsonObject,
  annotations: ToolAnnotations,
): CatalogTool => ({
  name,
  clientId: '',
  clientName: '',
  upstreamName: name,
  description,
  inputSchema,
  definition: { name, description, inputSchema, annotations: { ...annotations } },
  annotations,
  autoExecute: true,
});
