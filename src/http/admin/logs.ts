import { type Request, type Response, Router } from 'express';
import { adminError } from './errors.ts';

/** The query string of a log search; a field given twice is joined by commas, as lists are. */
export type LogQuery = Readonly<Record<string, string>>;

/** What the log is asked. A query that makes no sense rejects with GatewayError('invalid-request'). */
export interface LogQueries {
  listLogs(query: LogQuery): Promise<object>;
  getLog(id: string): Promise<object | undefined>;
  listMcpLogs(query: LogQuery): Promise<object>;
  getMcpLog(id: string): Promise<object | undefined>;
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
  router.get('/mcp-logs/:id', async (request: Request<{ id: string }>, response: Response) => {
    response.json(found(await logs.getMcpLog(request.params.id)));
  });
  return router;
}

function found(log: object | undefined): object {
  if (!log) throw adminError(404, 'log not found');
  return log;
}

const logQueryOf = ({ query }: Request): LogQuery =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value satisfies unknown)]));
