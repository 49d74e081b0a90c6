import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type OpenApiConfig, openApiConfig } from '../../config/openapi-section.ts';
import type { McpClientConfig } from '../../config/schema.ts';
import { documentText, previewOf } from '../../mcp/openapi/preview.ts';
import { asGatewayError, type GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { adminError } from './errors.ts';

export interface OpenApiRoutes {
  readonly clients: { config(id: string): McpClientConfig | undefined };
  /** Where the relative paths of the config start. */
  readonly appDir?: string;
}

const AUTH_TYPES: readonly string[] = ['', 'none', 'headers', 'per_user_headers'];

/** OpenAPI documents: what one would become, and the one that a client has. */
export function openApiRoutes({ clients, appDir = '.' }: OpenApiRoutes): Router {
  const router = Router();
  router.post('/mcp/openapi/preview', async (request: Request, response: Response) => {
    const preview = await previewOf(asked(request.body), appDir).catch((thrown: unknown) => {
      throw documentFault(thrown);
    });
    response.json(preview);
  });
  router.get('/mcp/client/:id/openapi-spec', async (request: Request<{ id: string }>, response: Response) => {
    const openapi = clients.config(request.params.id)?.openapi_config;
    if (!openapi) throw adminError(404, 'OpenAPI MCP client not found');
    const text = await documentText(openapi, appDir);
    const isJson = text.trimStart().startsWith('{');
    response.type(isJson ? 'application/json' : 'application/yaml').send(text);
  });
  return router;
}

/**
 * Looks at the document of a client that is to be made, so that a fault in it is told as such. Throws GatewayError
 * with status 400, or 413 for a document that is too large.
 */
export async function checkOpenApi({ auth_type, openapi_config: openapi }: McpClientConfig): Promise<void> {
  if (!openapi) return;
  if (!AUTH_TYPES.includes(auth_type)) {
    throw adminError(400, `auth_type '${auth_type}' is not supported for connection_type 'openapi'`);
  }
  if (openapi.spec_file !== undefined) {
    const instead = 'send the document as spec or spec_url';
    throw adminError(400, `openapi_config.spec_file is only supported in config.json; ${instead}`);
  }
  const preview = await previewOf(openapi, '.').catch((thrown: unknown) => {
    throw documentFault(thrown);
  });
  if (preview.tool_count === 0)
    throw adminError(400, `No operation in the spec can be exposed as a tool${reasons(preview)}`);
  if (preview.base_url === '') {
    throw adminError(400, 'The spec declares no absolute server URL; set openapi_config.base_url');
  }
}

function asked(body: unknown): OpenApiConfig {
  if (!isObject(body)) throw adminError(400, 'Invalid request payload');
  const { spec, spec_url, base_url, include_deprecated } = body;
  if (!spec && !spec_url) throw adminError(400, 'spec or spec_url is required');
  // Where both are given the document is the one in the body, and its address says where relative servers start.
  const given = { spec: spec || undefined, spec_url: spec_url || undefined, base_url: base_url || undefined };
  const parsed = openApiConfig.safeParse({ ...given, include_deprecated });
  if (!parsed.success) throw adminError(400, `Invalid request payload: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function documentFault(thrown: unknown): GatewayError {
  const { kind, message } = asGatewayError(thrown);
  if (kind === 'too-large') return adminError(413, message, thrown);
  if (kind === 'permission') return adminError(403, message, thrown);
  if (kind === 'invalid-request') return adminError(400, message, thrown);
  return adminError(400, /^could not load/.test(message) ? message : `could not load spec_url: ${message}`, thrown);
}

function reasons({ unsupported }: JsonObject): string {
  const rows = Array.isArray(unsupported) ? unsupported : [];
  const told = rows.flatMap((row) => (isObject(row) ? `${row.method} ${row.path}: ${row.reason}` : []));
  return told.length > 0 ? `: ${told.slice(0, 20).join('; ')}` : '';
}
