import { type AuthClient, GoogleAuth } from 'google-auth-library';
import { GatewayError } from '../../model/errors.ts';
import type { Fetch } from '../fetch.ts';
import type { GoogleCredentials, Identity, Token } from '../identity.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const GOOGLES_TOKEN_URL = 'https://oauth2.googleapis.com/token';
const TOKEN_TIMEOUT_MS = 10_000;

type Google = Extract<Identity, { type: 'google' }>;

/** Google's credentials in the hands of `google-auth-library`, which keeps their tokens and renews them in time. */
export function googleAuth({ credentials }: Google, fetch: Fetch): GoogleAuth {
  return new GoogleAuth<AuthClient>({
    scopes: SCOPE,
    ...(credentials && { credentials }),
    clientOptions: {
      transporterOptions: { fetchImplementation: tokenFetch(fetch, credentials), timeout: TOKEN_TIMEOUT_MS },
    },
  });
}

export const googleToken =
  (auth: GoogleAuth): Token =>
  async () => {
    try {
      const token = await auth.getAccessToken();
      if (token) return token;
    } catch (thrown) {
      throw noToken(thrown instanceof Error ? thrown.message : String(thrown));
    }
    throw noToken('none was given');
  };

/**
 * Tokens are asked for on our own connections (proxy, certificates), and where the credentials say: the library asks
 * Google whatever `token_uri` they hold.
 */
function tokenFetch(fetch: Fetch, credentials: GoogleCredentials | undefined): typeof globalThis.fetch {
  return async (url, init) => {
    const address = url instanceof Request ? url.url : String(url);
    const body = init?.body instanceof URLSearchParams ? init.body.toString() : init?.body;
    const headers = new Headers(init?.headers);
    headers.set('accept-encoding', 'identity');
    const answer = await fetch(address === GOOGLES_TOKEN_URL ? (credentials?.token_uri ?? address) : address, {
      ...init,
      headers,
      ...(body !== undefined && { body }),
    });
    // The library reads more of a response than ours has
    return new Response(await answer.text(), { status: answer.status, headers: [...answer.headers] });
  };
}

const noToken = (message: string): GatewayError =>
  new GatewayError(
    'authentication',
    `Google gave no access token: ${message}; check auth_credentials in vertex_key_config, or the machine's own (GOOGLE_APPLICATION_CREDENTIALS, gcloud auth application-default login)`,
    { provider: 'vertex' },
  );
