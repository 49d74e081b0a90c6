import { type Request, type Response, Router } from 'express';
import { isObject } from '../../model/json.ts';
import { adminError } from './errors.ts';

/** The query string of a log search; a field given twice is joined by commas, as lists are. */
export type LogQuery = Readonly<Record<string, string>>;

/** What the log is asked. A query that makes no sense rejects with GatewayError('invalid-request'). */
export interface LogQueries {
  listLogs(query: LogQuery): Promise<object>;
  getLog(id: string): Promise<object | undefined>;
  listMcpLogs(query: LogQuery): Promise<object>;
  getMcpLog(id: string): Promise<object | undefined>;
  mcpLogStats(query: LogQuery): Promise<object>;
  mcpLogFacets(): Promise<object>;
  mcpHistogram(query: LogQuery): Promise<object>;
  mcpCosts(query: LogQuery): Promise<object>;
  /** At most `limit` tools, those that ran most first. */
  mcpTools(query: LogQuery, limit: number): Promise<readonly object[]>;
  /** Gives how many there were to delete. */
  deleteMcpLogs(ids: readonly string[]): Promise<number>;
}

export function logRoutes(logs: LogQueries): Router {
  const router = Router();
  router.get('/logs', async (request: Request, response: Response) => {
    response.json(await logs.listLogs(logQueryOf(request)));
  });
  router.get('/logs/:id', async (request: Request<{ id: string }>, response: Response) => {
    response.json(found(await logs.getLog(request.params.id)));
  });
  router.get('/mcp-logs', async (request: Request, response: Response) => {
    response.json(await logs.listMcpLogs(logQueryOf(request)));
  });
  mcpSummaries(router, logs);
  router.delete('/mcp-logs', async (request: Request, response: Response) => {
    await logs.deleteMcpLogs(idsOf(request.body));
    response.json({ message: 'MCP tool logs deleted successfully' });
  });
  router.get('/mcp-logs/:id', async (request: Request<{ id: string }>, response: Response) => {
    response.json(found(await logs.getMcpLog(request.params.id)));
  });
  return router;
}

/** What is known of all tool runs together; each but the facets takes the filters of the list. */
function mcpSummaries(router: Router, logs: LogQueries): void {
  const answers: Readonly<Record<string, (query: LogQuery) => Promise<object>>> = {
    stats: (query) => logs.mcpLogStats(query),
    filterdata: () => logs.mcpLogFacets(),
    histogram: (query) => logs.mcpHistogram(query),
    'histogram/cost': (query) => logs.mcpCosts(query),
    'histogram/top-tools': async (query) => ({ tools: await logs.mcpTools(query, TOP_TOOLS) }),
    'tool-stats': async (query) => ({ tools: await logs.mcpTools(query, ALL_TOOLS) }),
  };
  for (const [path, answer] of Object.entries(answers)) {
    router.get(`/mcp-logs/${path}`, async (request: Request, response: Response) => {
      response.json(await answer(logQueryOf(request)));
    });
  }
}

const TOP_TOOLS = 10;
const ALL_TOOLS = 5_000;

function idsOf(body: unknown): string[] {
  const ids = isObject(body) && Array.isArray(body.ids) ? body.ids : [];
  if (ids.length === 0) throw adminError(400, 'No log IDs provided');
  if (!ids.every((id) => typeof id === 'string')) throw adminError(400, 'ids must be a list of texts');
  return ids;
}

function found(log: object | undefined): object {
  if (!log) throw adminError(404, 'log not found');
  return log;
}

const logQueryOf = ({ query }: Request): LogQuery =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value satisfies unknown)]));
