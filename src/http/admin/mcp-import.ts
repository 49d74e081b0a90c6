import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import type { McpClientConfig } from '../../config/schema.ts';
import { parseSettings } from '../../mcp/import/entries.ts';
import { type ImportedServer, importedServers } from '../../mcp/import/import.ts';
import { asGatewayError } from '../../model/errors.ts';
import { isObject, type JsonValue } from '../../model/json.ts';
import type { ImportReport, ImportRow } from './contract.ts';
import { adminError } from './errors.ts';
import { addClient, clientFault, type McpClientRoutes } from './mcp-clients.ts';

export interface ImportRoutes extends McpClientRoutes {
  /** Where `${VAR}` of imported settings is looked up. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** The MCP servers of Claude, Cursor, VS Code or Gemini CLI, added as clients; each is told what became of it. */
export function importRoutes(options: ImportRoutes): Router {
  const router = Router();
  router.post('/mcp/import', async (request: Request, response: Response) => {
    const { settings, isDryRun } = asked(request);
    const taken = options.clients.statuses().map(({ name }) => name);
    const servers = importedServers(settings, { taken, environment: options.environment ?? process.env });
    const rows: ImportRow[] = [];
    for (const server of servers) rows.push(await rowOf(server, isDryRun, options));
    response.json(reportOf(rows, isDryRun));
  });
  return router;
}

/** The body is `{config, dry_run}`, with the settings as an object or as their text, or the settings themselves. */
function asked({ body, query }: Request): { settings: JsonValue | undefined; isDryRun: boolean } {
  if (!isObject(body)) throw adminError(400, 'Invalid request format: the body must be a JSON object');
  const { config, dry_run } = body;
  const isDryRun = dry_run === true || query.dry_run === 'true' || query.dry_run === '1';
  if (config === undefined) return { settings: body, isDryRun };
  return { settings: typeof config === 'string' ? parseSettings(config) : config, isDryRun };
}

async function rowOf(server: ImportedServer, isDryRun: boolean, options: ImportRoutes): Promise<ImportRow> {
  const { sourceName, name, config, reason, notes } = server;
  const row = {
    source_name: sourceName,
    name,
    notes: [...notes],
    ...(config && { connection_type: config.connection_type }),
  };
  if (!config) return { ...row, status: 'skipped', reason: reason ?? '' };
  const fault = await clientFault(options, config);
  if (fault) return { ...row, status: 'skipped', reason: fault.message };
  if (isDryRun) return { ...row, status: 'would_add' };
  return { ...row, ...(await added({ ...config, client_id: randomUUID() }, options)) };
}

async function added(
  config: McpClientConfig,
  { clients, store }: ImportRoutes,
): Promise<Pick<ImportRow, 'status' | 'reason' | 'mcp_client_id'>> {
  try {
    await addClient(clients, store, config);
    return { status: 'added', ...(config.client_id && { mcp_client_id: config.client_id }) };
  } catch (thrown) {
    return { status: 'failed', reason: asGatewayError(thrown).message };
  }
}

function reportOf(servers: ImportRow[], isDryRun: boolean): ImportReport {
  const count = (...statuses: ImportRow['status'][]) =>
    servers.filter(({ status }) => statuses.includes(status)).length;
  return {
    status: 'success',
    dry_run: isDryRun,
    added: count('added', 'would_add'),
    skipped: count('skipped'),
    failed: count('failed'),
    servers,
  };
}
