import { createHash, randomBytes } from 'node:crypto';

const REDIRECT = 'http://127.0.0.1:7777/callback';

export interface Choice {
  readonly mode?: 'vk' | 'session';
  readonly decision?: 'allow' | 'deny';
  readonly virtual_key?: string;
}

export interface ConsentPage {
  readonly response: Response;
  readonly html: string;
  /** What the page's forms hold. */
  readonly flow: string;
  readonly cookie: string;
}

/** What a browser does with the address of an authorization endpoint: shows the page and keeps the cookie. */
export async function openConsent(url: string | URL, cookie?: string): Promise<ConsentPage> {
  const response = await fetch(url, { redirect: 'manual', ...(cookie && { headers: { cookie } }) });
  const html = await response.text();
  const flow = /name="flow" value="([^"]+)"/.exec(html)?.[1] ?? '';
  return { response, html, flow, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

/** Sends the page's form as the browser would that shows it. */
export const answerConsent = (
  base: string,
  { flow, cookie }: Pick<ConsentPage, 'flow' | 'cookie'>,
  choice: Choice,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(`${base}/oauth/consent`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      cookie,
      origin: base,
      'sec-fetch-site': 'same-origin',
      ...headers,
    },
    body: new URLSearchParams({ flow, decision: 'allow', ...choice }),
  });

/** The parameters with which the browser comes back to the client. */
export async function consented(url: string | URL, choice: Choice): Promise<URLSearchParams> {
  const page = await openConsent(url);
  const answer = await answerConsent(new URL(url).origin, page, choice);
  const location = answer.headers.get('location');
  if (answer.status !== 303 || !location) throw new Error(`no way back: ${answer.status} ${await answer.text()}`);
  return new URL(location).searchParams;
}

export const newVerifier = (): string => randomBytes(32).toString('base64url');
const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly [field: string]: unknown;
}

/** An OAuth client that does each step by hand, and can do it wrong. */
export class HandClient {
  readonly base: string;
  readonly id: string;
  readonly secret: string | undefined;

  private constructor(base: string, id: string, secret: string | undefined) {
    this.base = base;
    this.id = id;
    this.secret = secret;
  }

  /** One that is known without having registered, by this id. */
  static known(base: string, id: string): HandClient {
    return new HandClient(base, id, undefined);
  }

  static async register(base: string, metadata: object = {}): Promise<HandClient> {
    const body = JSON.stringify({ client_name: 'By hand', redirect_uris: [REDIRECT], ...metadata });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${base}/oauth2/register`, { method: 'POST', headers, body });
    const answer: { client_id: string; client_secret?: string } = JSON.parse(await response.text());
    if (response.status !== 201) throw new Error(JSON.stringify(answer));
    return new HandClient(base, answer.client_id, answer.client_secret);
  }

  authorizeUrl(verifier: string, changes: Readonly<Record<string, string | undefined>> = {}): string {
    const url = new URL(`${this.base}/oauth2/authorize`);
    const parameters = {
      response_type: 'code',
      client_id: this.id,
      redirect_uri: REDIRECT,
      state: 'state-1',
      code_challenge: challengeOf(verifier),
      code_challenge_method: 'S256',
      resource: `${this.base}/mcp`,
      ...changes,
    };
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
    return url.href;
  }

  async code(
    verifier: string,
    choice: Choice,
    changes?: Readonly<Record<string, string | undefined>>,
  ): Promise<string> {
    return (await consented(this.authorizeUrl(verifier, changes), choice)).get('code') ?? '';
  }

  token(
    parameters: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return fetch(`${this.base}/oauth2/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ client_id: this.id, ...parameters }),
    });
  }

  exchange(code: string, verifier: string, changes: Readonly<Record<string, string>> = {}): Promise<Response> {
    const proof = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT };
    return this.token({ ...proof, ...changes });
  }

  refresh(refreshToken: string, changes: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...changes });
  }

  async signIn(choice: Choice, changes?: Readonly<Record<string, string | undefined>>): Promise<Tokens> {
    const verifier = newVerifier();
    const response = await this.exchange(await this.code(verifier, choice, changes), verifier);
    return JSON.parse(await response.text());
  }
}
