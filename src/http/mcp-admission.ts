import type { IncomingHttpHeaders } from 'node:http';
import type { McpAuthMode } from '../config/mcp-sign-in-section.ts';
import type { Caller } from '../model/call.ts';
import { GatewayError, statusOf } from '../model/errors.ts';
import { looksLikeToken } from './oauth/access-tokens.ts';
import { issuerOf, resourceAt, resourceMetadataAt, SCOPE } from './oauth/addresses.ts';
import type { AuthorizationServer } from './oauth/authorization-server.ts';
import { OauthError } from './oauth/oauth-error.ts';
import type { Standing } from './watched-streams.ts';

/** Who comes to /mcp, or to the name below it. Throws Unadmitted. */
export type Admission = (headers: IncomingHttpHeaders, slug: string | undefined) => Caller;

/** Why somebody does not come in, and what a client does about it. */
export class Unadmitted extends Error {
  readonly status: number;
  readonly type: string | undefined;
  /** For the header WWW-Authenticate; absent where there is nothing to sign in at. */
  readonly challenge: string | undefined;

  constructor(status: number, message: string, { type, challenge }: { type?: string; challenge?: string } = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.challenge = challenge;
  }
}

export interface AdmissionOptions {
  readonly mode: McpAuthMode;
  /** `enforce_auth_on_inference`: nobody comes in without saying who they are. */
  readonly requiresKey: boolean;
  /** The caller by its headers alone, its key not looked at yet. */
  readonly callerOf: (headers: IncomingHttpHeaders) => Caller;
  /** The caller as its virtual key makes it. Throws GatewayError. */
  readonly identified: (caller: Caller) => Caller;
  readonly server?: AuthorizationServer | undefined;
  readonly issuerUrl?: string | undefined;
}

const KEY_REQUIRED =
  'virtual key required to access mcp server; set one of x-bf-vk, Authorization: Bearer <vk>, x-api-key, or x-goog-api-key in your MCP client config';
const TOKEN_REQUIRED =
  'this server requires OAuth JWT authentication; header credentials are not accepted in oauth mode';
const CONFLICT =
  'conflicting credentials: an OAuth token and a virtual key header were both provided; send only the OAuth token';

/** The way in to /mcp: by the header of a virtual key, by a token of the gateway's own, or by neither (Bifrost's words). */
export function mcpAdmission(options: AdmissionOptions): Admission {
  return (headers, slug) => {
    try {
      return admitted(headers, slug, options);
    } catch (thrown) {
      throw refusalOf(thrown, headers, slug, options);
    }
  };
}

function admitted(headers: IncomingHttpHeaders, slug: string | undefined, options: AdmissionOptions): Caller {
  const { mode, requiresKey, server, issuerUrl } = options;
  const caller = options.callerOf(headers);
  const token = server && tokenOf(headers);
  if (server && token !== undefined) {
    if (caller.virtualKey !== undefined) throw new GatewayError('authentication', CONFLICT);
    const issuer = issuerOf(headers, issuerUrl);
    return server.admitted(token, resourceAt(issuer, slug), issuer, withoutToken(caller));
  }
  if (mode === 'oauth') throw new GatewayError('authentication', TOKEN_REQUIRED);
  if (caller.virtualKey !== undefined) return options.identified(caller);
  if (requiresKey) throw new GatewayError('authentication', KEY_REQUIRED, { type: 'virtual_key_required' });
  return caller;
}

/** What is asked again while a stream is open. The age of a token does not matter: its holder was let in in time. */
export function mcpStanding({ server, callerOf, identified }: AdmissionOptions): Standing {
  return (headers) => {
    const token = server && tokenOf(headers);
    if (server && token !== undefined) return server.standing(token);
    const caller = callerOf(headers);
    return caller.virtualKey === undefined ? undefined : () => isGood(() => identified(caller));
  };
}

function isGood(check: () => Caller): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

function tokenOf({ authorization }: IncomingHttpHeaders): string | undefined {
  const [, bearer] = /^bearer\s+(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  return bearer !== undefined && looksLikeToken(bearer) ? bearer : undefined;
}

/** A token for this gateway is for nobody behind it. */
function withoutToken(caller: Caller): Caller {
  if (caller.mcpHeaders?.authorization === undefined) return caller;
  const { authorization: _, ...mcpHeaders } = caller.mcpHeaders;
  return { ...caller, mcpHeaders };
}

function refusalOf(
  thrown: unknown,
  headers: IncomingHttpHeaders,
  slug: string | undefined,
  { server, issuerUrl }: AdmissionOptions,
): unknown {
  const challengeOf = (error?: OauthError): { challenge?: string } =>
    server ? { challenge: challenge(issuerOf(headers, issuerUrl), slug, error) } : {};
  if (thrown instanceof OauthError) {
    return new Unadmitted(thrown.status, thrown.message, { type: thrown.code, ...challengeOf(thrown) });
  }
  if (!(thrown instanceof GatewayError)) return thrown;
  const { type } = thrown.details;
  const status = statusOf(thrown);
  return new Unadmitted(status, thrown.message, { ...(type && { type }), ...(status === 401 && challengeOf()) });
}

/** Where the resource describes itself, and what to ask for (RFC 9728, section 5.1; RFC 6750, section 3). */
function challenge(issuer: string, slug: string | undefined, error: OauthError | undefined): string {
  const told = {
    ...(error && { error: error.code, error_description: error.message }),
    resource_metadata: resourceMetadataAt(issuer, slug),
    scope: SCOPE,
  };
  const parts = Object.entries(told).map(([name, value]) => `${name}="${value.replace(/["\\\r\n]/g, '')}"`);
  return `Bearer ${parts.join(', ')}`;
}
