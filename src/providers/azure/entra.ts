import { GatewayError } from '../../model/errors.ts';
import { parsedObject } from '../../model/json.ts';
import type { Fetch } from '../fetch.ts';
import type { Identity, Token } from '../identity.ts';

/** A token is renewed this long before it ends, so that none ends on the way. */
const MARGIN_MS = 5 * 60_000;

type Entra = Extract<Identity, { type: 'entra' }>;

interface Held {
  readonly text: string;
  readonly renewAtMs: number;
}

/** Tokens of an application (client credentials flow of the Microsoft identity platform), each used until it ends. */
export function entraToken(identity: Entra, fetch: Fetch, now: () => number = Date.now): Token {
  let held: Held | undefined;
  let underWay: Promise<Held> | undefined;
  return async () => {
    if (held && now() < held.renewAtMs) return held.text;
    underWay ??= requested(identity, fetch, now).finally(() => {
      underWay = undefined;
    });
    held = await underWay;
    return held.text;
  };
}

async function requested(identity: Entra, fetch: Fetch, now: () => number): Promise<Held> {
  const { authority, tenantId, clientId, clientSecret, scopes } = identity;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: scopes.join(' '),
  });
  const response = await fetch(`${authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'accept-encoding': 'identity' },
    body: form.toString(),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = parsedObject(await response.text()) ?? {};
  const { access_token: text, expires_in: seconds } = answer;
  if (!response.ok || typeof text !== 'string') throw refused(response.status, answer);
  const lifeMs = Number(seconds ?? 0) * 1_000;
  return { text, renewAtMs: now() + Math.max(lifeMs - MARGIN_MS, lifeMs / 2) };
}

/** The first line of Entra's words; the others hold trace ids and the time. */
function refused(status: number, { error_description: description, error }: Record<string, unknown>): GatewayError {
  const told = typeof description === 'string' ? description.split(/\r?\n/)[0] : error;
  return new GatewayError(
    'authentication',
    `Microsoft Entra gave no token (${status}): ${told ?? 'no reason told'}; check client_id, client_secret and tenant_id in azure_key_config`,
    { provider: 'azure' },
  );
}
