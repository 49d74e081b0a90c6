import { type Request, type Response, Router } from 'express';
import type { StoredGrant } from '../../model/oauth-grants.ts';
import type { OauthRoutes } from '../oauth/routes.ts';
import type { OauthSession, OauthSessionList } from './contract.ts';
import { adminError } from './errors.ts';
import { checkedQuery } from './queries.ts';
import { type OauthSessionQuery, oauthSessionQuery } from './query-contract.ts';

export interface OauthSessionRoutes {
  /** Absent where nobody signs in at /mcp. */
  readonly oauth?: OauthRoutes | undefined;
}

/** What people have allowed clients at /mcp: listed, and revoked. */
export function oauthSessionRoutes({ oauth }: OauthSessionRoutes): Router {
  const router = Router();
  const server = oauth?.server;
  router.get('/oauth2/sessions', async (request: Request, response: Response) => {
    const query = checkedQuery(oauthSessionQuery, request);
    const grants = (await server?.grants.list()) ?? [];
    const sessions = grants.map((grant) => shown(grant, server?.subjectName(grant)));
    const matching = sessions.filter((session) => matches(session, query));
    const { limit, offset } = query;
    const page = matching.slice(offset, offset + limit);
    const body: OauthSessionList = {
      sessions: page,
      count: page.length,
      total_count: matching.length,
      limit,
      offset,
    };
    response.json(body);
  });
  router.delete('/oauth2/sessions/:id', async (request: Request<{ id: string }>, response: Response) => {
    const isRevoked = (await server?.grants.revoke(request.params.id)) ?? false;
    if (!isRevoked) throw adminError(404, 'session not found or already revoked');
    response.status(204).end();
  });
  return router;
}

const shown = (grant: StoredGrant, subjectName: string | undefined): OauthSession => ({
  id: grant.id,
  client_id: grant.clientId,
  client_name: grant.clientName,
  bf_mode: grant.mode,
  bf_sub: grant.subject,
  ...(subjectName !== undefined && { bf_sub_display: subjectName }),
  scope: grant.scope,
  resource: grant.resource,
  created_at: new Date(grant.createdAtMs).toISOString(),
  ...(grant.lastUsedAtMs !== null && { last_used_at: new Date(grant.lastUsedAtMs).toISOString() }),
});

function matches(session: OauthSession, { q, bf_mode: modes, virtual_key_id: keys }: OauthSessionQuery): boolean {
  const { client_id, client_name, bf_sub, bf_sub_display = '', bf_mode } = session;
  const words = [client_id, client_name, bf_sub, bf_sub_display].join('\n').toLowerCase();
  return (
    words.includes(q.toLowerCase()) &&
    (modes.length === 0 || modes.includes(bf_mode)) &&
    (keys.length === 0 || (bf_mode === 'vk' && keys.includes(bf_sub)))
  );
}
