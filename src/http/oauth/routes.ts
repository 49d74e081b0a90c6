import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { asGatewayError, GatewayError, statusOf } from '../../model/errors.ts';
import { isObject } from '../../model/json.ts';
import type { GrantMode } from '../../model/oauth-grants.ts';
import { notice } from '../admin/login-pages.ts';
import { authorizationServer, issuerOf, protectedResource } from './addresses.ts';
import type { AuthorizationServer, PendingConsent } from './authorization-server.ts';
import { CONSENT_PATH, consentPage, consentPolicy } from './consent-page.ts';
import { OauthError, RedirectedError } from './oauth-error.ts';
import { newSecret } from './secrets.ts';

export interface OauthRoutes {
  readonly server: AuthorizationServer;
  /** `oauth2_server_config.issuer_url`, where it is set. */
  readonly issuerUrl: string | undefined;
}

const COOKIE = 'bf_mcp_consent';
const FORM_LIMIT = '64kb';
const form = express.text({ type: 'application/x-www-form-urlencoded', limit: FORM_LIMIT });

type Handler = (request: Request, response: Response) => unknown;

/** Everything of the authorization server that is reached by HTTP; nobody needs to be signed in for any of it. */
export function oauthRoutes(options: OauthRoutes): Router {
  const router = Router();
  addMetadata(router, options);
  router.use(['/oauth2', CONSENT_PATH], notKept);
  addPrograms(router, options);
  addPages(router, options);
  return router;
}

/** What says where everything is (RFC 9728, RFC 8414) and which keys sign. */
function addMetadata(router: Router, { server, issuerUrl }: OauthRoutes): void {
  router.get(
    ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp{/:slug}'],
    (request: Request<{ slug?: string }>, response: Response) => {
      response.json(protectedResource(issuerOf(request.headers, issuerUrl), request.params.slug));
    },
  );
  // Clients of older revisions take the server's own address for the issuer's, and put its path behind.
  router.get(
    ['/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/mcp{/:slug}'],
    (request: Request, response: Response) => {
      response.json(authorizationServer(issuerOf(request.headers, issuerUrl), server.readsDocuments));
    },
  );
  router.get('/.well-known/jwks.json', (_request: Request, response: Response) => {
    response.json(server.jwks);
  });
}

/** What clients ask by themselves. */
function addPrograms(router: Router, { server, issuerUrl }: OauthRoutes): void {
  const asked = (request: Request) => ({
    form: fieldsOf(request),
    authorization: request.headers.authorization,
    issuer: issuerOf(request.headers, issuerUrl),
  });
  const register = answering(async (request, response) => {
    response.status(201).json(await server.register(isObject(request.body) ? request.body : {}));
  });
  const token = answering(async (request, response) => {
    response.json(await server.token(asked(request)));
  });
  const revoke = answering(async (request, response) => {
    await server.revoke(asked(request));
    response.status(200).end();
  });
  router.post('/oauth2/register', express.json({ limit: FORM_LIMIT }), register);
  router.post('/oauth2/token', form, token);
  router.post('/oauth2/revoke', form, revoke);
}

/** What people see in a browser. */
function addPages(router: Router, options: OauthRoutes): void {
  const { server, issuerUrl } = options;
  const authorize = shown(async (request, response) => {
    const query = new URL(request.originalUrl, 'http://gateway').searchParams;
    const issuer = issuerOf(request.headers, issuerUrl);
    const pending = await server.begin(query, issuer, cookieOf(request) ?? newSecret());
    response.cookie(COOKIE, pending.browserSecret, {
      httpOnly: true,
      // people come here by a link on whichever page
      sameSite: 'lax',
      secure: issuer.startsWith('https:'),
    });
    showConsent(response, pending, options);
  });
  const consent = shown(async (request, response) => {
    checkOwnForm(request, issuerOf(request.headers, issuerUrl));
    decide(request, response, options);
  });
  router.get('/oauth2/authorize', authorize);
  router.post(CONSENT_PATH, form, consent);
}

/** Tokens and pages of people are for nobody's cache (RFC 6749, section 5.1). */
const notKept: RequestHandler = (_request, response, next) => {
  response.set({ 'cache-control': 'no-store', pragma: 'no-cache', 'x-content-type-options': 'nosniff' });
  next();
};

/** For programs: errors are JSON. */
function answering(handler: Handler): Handler {
  return async (request, response) => {
    try {
      await handler(request, response);
    } catch (thrown) {
      if (!(thrown instanceof OauthError)) throw thrown;
      if (thrown.status === 401) response.set('www-authenticate', 'Basic realm="bifrost"');
      response.status(thrown.status).json({ error: thrown.code, error_description: thrown.message });
    }
  };
}

/** For people: errors are pages, or go back to the program that sent them here. */
function shown(handler: Handler): Handler {
  return async (request, response) => {
    try {
      await handler(request, response);
    } catch (thrown) {
      if (thrown instanceof RedirectedError) {
        response.redirect(302, thrown.location);
        return;
      }
      const status = thrown instanceof OauthError ? thrown.status : statusOf(asGatewayError(thrown));
      const { message } = thrown instanceof OauthError ? thrown : asGatewayError(thrown);
      page(response, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'");
      response.status(status).send(notice('This did not work', message));
    }
  };
}

function decide(request: Request, response: Response, options: OauthRoutes): void {
  const { server } = options;
  const fields = fieldsOf(request);
  const pending = server.pending(fields.get('flow') ?? '');
  if (!pending) {
    throw new GatewayError(
      'not-found',
      'this page is too old, or was answered already; connect again from your client',
    );
  }
  checkSameBrowser(request, pending);
  if (fields.get('decision') === 'deny') {
    response.redirect(303, server.deny(pending));
    return;
  }
  try {
    const location = server.allow(pending, modeOf(fields.get('mode')), (fields.get('virtual_key') ?? '').trim());
    response.redirect(303, location);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    showConsent(response.status(statusOf(thrown)), pending, options, `Not taken: ${thrown.message}`);
  }
}

function modeOf(text: string | null): GrantMode {
  if (text === 'vk' || text === 'session') return text;
  throw new OauthError('invalid_request', 'the form does not say as whom to allow');
}

function showConsent(response: Response, pending: PendingConsent, { server }: OauthRoutes, fault?: string): void {
  page(response, consentPolicy(pending));
  response.send(consentPage(pending, server.modes, fault));
}

/** No scripts, no frames, no copies. */
function page(response: Response, policy: string): void {
  response.type('html').set({
    'content-security-policy': policy,
    // an origin of `null` would come with forms if referrers were off altogether
    'referrer-policy': 'same-origin',
    'x-frame-options': 'DENY',
  });
}

/**
 * Only the gateway's own page may send the form: not another page on this machine, nor one of `allowed_origins`, which
 * may call the gateway but not sign people in.
 */
function checkOwnForm({ headers }: Request, issuer: string): void {
  const { origin, 'sec-fetch-site': site } = headers;
  const isOwn = origin === undefined || origin === new URL(issuer).origin || origin === issuerOf(headers, undefined);
  if (isOwn && (site === undefined || site === 'same-origin')) return;
  throw new GatewayError('permission', 'this form was sent from another web site');
}

/** A browser answers for the page that it was shown itself. A program shows neither of these headers, and has no cookies. */
function checkSameBrowser({ headers }: Request, { browserSecret }: PendingConsent): void {
  const isBrowser = headers['sec-fetch-site'] !== undefined || headers.cookie !== undefined;
  if (isBrowser && cookieOf({ headers }) !== browserSecret) {
    throw new GatewayError('permission', 'this form was opened in another browser; connect again');
  }
}

/** One for all pages that a browser has open. */
const cookieOf = ({ headers }: Pick<Request, 'headers'>): string | undefined =>
  /(?:^|;\s*)bf_mcp_consent=([\w-]{43})(?:;|$)/.exec(headers.cookie ?? '')?.[1];

const fieldsOf = ({ body }: Request): URLSearchParams => new URLSearchParams(typeof body === 'string' ? body : '');
