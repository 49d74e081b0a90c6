import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { Config } from '../config/load.ts';
import type { AdminOptions } from '../http/admin/app.ts';
import type { LogQueries, LogQuery } from '../http/admin/logs.ts';
import type { Logs } from '../logs/logs.ts';
import type { Log } from '../logs/process-log.ts';
import { logQueryOf, mcpLogQueryOf } from '../logs/query.ts';
import { McpLibrary } from '../stores/mcp-library.ts';
import { textAt } from './model-sheet.ts';

/** The admin API and the page at `/`, loaded on first use and kept: nothing of them is needed to serve models. */
export function adminOnDemand(options: Omit<AdminOptions, 'pages'>): () => Promise<RequestListener> {
  let loaded: Promise<RequestListener> | undefined;
  const load = async (): Promise<RequestListener> => {
    const [{ createAdminApp }, { landingPage }] = await Promise.all([
      import('../http/admin/app.ts'),
      import('../http/admin/landing.ts'),
    ]);
    return createAdminApp({ ...options, pages: landingPage });
  };
  return () => {
    loaded ??= load();
    return loaded;
  };
}

/** The library of known MCP servers; nothing of it is read before somebody asks. */
export const openLibrary = ({ framework: { pricing } }: Config, appDir: string, log: Log): McpLibrary =>
  new McpLibrary({
    path: join(appDir, 'mcp-library.json'),
    url: pricing.mcp_library_url,
    syncIntervalMs: pricing.mcp_library_sync_interval * 1_000,
    read: textAt,
    warn: (message) => log('warn', message),
  });

const mcpFiltersOf = (query: LogQuery) => mcpLogQueryOf(new URLSearchParams(query)).filters;

/** The log as the admin API asks it: by query strings. */
export const logQueries = (logs: Logs): LogQueries => ({
  listLogs: async (query) => {
    const { filters, paging } = logQueryOf(new URLSearchParams(query));
    return logs.listLogs(filters, paging);
  },
  getLog: (id) => logs.getLog(id),
  listMcpLogs: async (query) => {
    const { filters, paging } = mcpLogQueryOf(new URLSearchParams(query));
    return logs.listMcpLogs(filters, paging);
  },
  getMcpLog: (id) => logs.getMcpLog(id),
  mcpLogStats: async (query) => logs.mcpLogStats(mcpFiltersOf(query)),
  mcpLogFacets: () => logs.mcpLogFacets(),
  mcpHistogram: async (query) => logs.mcpHistogram(mcpFiltersOf(query)),
  mcpCosts: async (query) => logs.mcpCosts(mcpFiltersOf(query)),
  mcpTools: async (query, limit) => logs.mcpTools(mcpFiltersOf(query), limit),
  deleteMcpLogs: (ids) => logs.deleteMcpLogs(ids),
});
