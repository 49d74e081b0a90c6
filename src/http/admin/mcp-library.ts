import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { AUTH_TYPES } from '../../config/mcp-auth-section.ts';
import { type LibraryEntry, type LibraryServer, libraryServer, librarySlug } from '../../stores/mcp-library.ts';
import { bodyOf } from './client-changes.ts';
import { adminError } from './errors.ts';
import { checkedQuery } from './queries.ts';
import { type LibraryQuery, libraryQuery } from './query-contract.ts';

export interface LibraryRoutes {
  readonly library: {
    list(): Promise<readonly LibraryEntry[]>;
    add(server: LibraryServer): Promise<LibraryEntry>;
    /** False when there is no entry of this id. */
    remove(id: number): Promise<boolean>;
    /** Gives how many servers were read. */
    sync(): Promise<number>;
  };
}

/** Known MCP servers, to be found and made clients of; in the original's words. */
export function libraryRoutes({ library }: LibraryRoutes): Router {
  const router = Router();
  router.get('/mcp/library', async (request: Request, response: Response) => {
    const query = checkedQuery(libraryQuery, request);
    const { limit, offset } = query;
    const matching = sorted(
      (await library.list()).filter((entry) => matches(entry, query)),
      query,
    );
    const servers = matching.slice(offset, offset + limit);
    response.json({ servers, count: servers.length, total_count: matching.length, limit, offset });
  });
  router.get('/mcp/library/filterdata', async (_request: Request, response: Response) => {
    response.json(facetsOf(await library.list()));
  });
  router.post('/mcp/library/force-sync', async (_request: Request, response: Response) => {
    const count = await library.sync();
    response.json({ status: 'success', message: `MCP library sync completed, ${count} entries synced` });
  });
  router.post('/mcp/library', async (request: Request, response: Response) => {
    const entry = await library.add(newServer(request.body));
    response.json({ status: 'success', message: 'MCP library server published successfully', entry });
  });
  router.delete('/mcp/library/:id', async (request: Request<{ id: string }>, response: Response) => {
    const { id } = request.params;
    if (!/^\d{1,15}$/.test(id)) throw adminError(400, 'id must be a positive integer');
    if (!(await library.remove(Number(id)))) throw adminError(404, 'MCP library entry not found');
    response.json({ status: 'success', message: 'MCP library server removed successfully' });
  });
  return router;
}

function matches(entry: LibraryEntry, query: LibraryQuery): boolean {
  const { search = '', category, connection_type: types, auth_type: auths, tags } = query;
  const isOneOf = (asked: readonly string[], ...values: string[]) =>
    asked.length === 0 || values.some((value) => asked.includes(value));
  const words = [entry.name, entry.description, entry.publisher];
  return (
    words.some((word) => word?.toLowerCase().includes(search.toLowerCase())) &&
    isOneOf(category, entry.category ?? '') &&
    isOneOf(types, entry.connection_type) &&
    isOneOf(auths, entry.auth_type) &&
    isOneOf(tags, ...(entry.tags ?? []))
  );
}

function sorted(entries: LibraryEntry[], { sort_by: field, order }: LibraryQuery): LibraryEntry[] {
  const way = order === 'desc' ? -1 : 1;
  const textOf = (entry: LibraryEntry) => (entry[field] ?? '').toLowerCase();
  return entries.sort((a, b) => {
    const [left, right] = [textOf(a), textOf(b)];
    return left === right ? a.id - b.id : way * (left < right ? -1 : 1);
  });
}

function facetsOf(entries: readonly LibraryEntry[]): Record<string, string[]> {
  const all = (values: readonly (string | undefined)[]) => [...new Set(values.flatMap((value) => value || []))].sort();
  return {
    categories: all(entries.map(({ category }) => category)),
    connection_types: all(entries.map(({ connection_type }) => connection_type)),
    auth_types: all(entries.map(({ auth_type }) => auth_type)),
    tags: all(entries.flatMap(({ tags }) => tags)),
  };
}

const CONNECTION_TYPES: readonly unknown[] = ['http', 'stdio', 'sse'];
const LIBRARY_AUTH_TYPES: readonly unknown[] = [...AUTH_TYPES, 'token_exchange'];

/** The server that a POST describes. Throws GatewayError with status 400. */
function newServer(body: unknown): LibraryServer {
  const { name, auth_type: auth, ...fields } = bodyOf(body);
  const trimmed = typeof name === 'string' ? name.trim() : '';
  if (trimmed === '') throw adminError(400, 'name is required');
  if (!CONNECTION_TYPES.includes(fields.connection_type)) {
    throw adminError(400, 'connection_type must be one of: http, stdio, sse');
  }
  if (auth !== undefined && !LIBRARY_AUTH_TYPES.includes(auth)) throw adminError(400, 'invalid auth_type');
  const parsed = libraryServer.safeParse({ ...fields, name: trimmed, auth_type: auth || 'none' });
  if (!parsed.success) throw adminError(400, `Invalid request payload: ${z.prettifyError(parsed.error)}`);
  const { connection_type: type, connection_url: url, stdio_config: stdio } = parsed.data;
  if (type === 'stdio' && !stdio?.command.trim()) {
    throw adminError(400, 'stdio_config.command is required for stdio connection type');
  }
  if (type !== 'stdio' && !url?.trim()) {
    throw adminError(400, 'connection_url is required for http/sse connection types');
  }
  if (librarySlug(trimmed) === '') throw adminError(400, 'name must contain at least one alphanumeric character');
  return parsed.data;
}
