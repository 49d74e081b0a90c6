import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
  UnauthorizedError as ModernUnauthorized,
} from '@modelcontextprotocol/client';
import {
  UnauthorizedError as LegacyUnauthorized,
  type OAuthDiscoveryState,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Choice, consented } from '../../support/consent.ts';
import { type Gateway, startGatewayHere, testServer } from '../../support/gateway.ts';

const ALPHA = 'sk-bf-alpha';
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGatewayHere({
    version: 2,
    providers: {},
    client: { mcp_server_auth_mode: 'oauth' },
    governance: {
      virtual_keys: [
        {
          id: 'vk-1',
          name: 'Alpha',
          value: ALPHA,
          mcp_configs: [{ mcp_client_name: 'ref', tools_to_execute: ['echo'] }],
        },
      ],
    },
    mcp: { client_configs: [testServer('ref'), testServer('other')] },
  });
});
afterAll(() => gateway.stop());

/** What an application keeps of a login, as both libraries ask it; the person is the test. */
class Login {
  readonly redirectUrl = 'http://localhost:9999/callback';
  readonly clientMetadata = {
    client_name: 'SDK client',
    redirect_uris: ['http://localhost:1234/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  asked: URL | undefined;
  saved = 0;
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';
  #discovery: OAuthDiscoveryState | undefined;

  clientInformation() {
    return this.#client;
  }
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.#client = client;
  }
  tokens() {
    return this.#tokens;
  }
  saveTokens(tokens: OAuthTokens) {
    this.saved += 1;
    this.#tokens = tokens;
  }
  redirectToAuthorization(url: URL) {
    this.asked = url;
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  codeVerifier() {
    return this.#verifier;
  }
  invalidateCredentials() {
    this.#tokens = undefined;
  }
  discoveryState() {
    return this.#discovery;
  }
  saveDiscoveryState(discovery: OAuthDiscoveryState) {
    this.#discovery = discovery;
  }
  /** As when it expired. */
  loseAccessToken() {
    if (this.#tokens) this.#tokens = { ...this.#tokens, access_token: 'expired' };
  }
}

interface SdkClient {
  names(): Promise<readonly string[]>;
  call(name: string): Promise<unknown>;
  close(): Promise<void>;
}

interface Sdk {
  readonly Unauthorized: new (...args: never[]) => Error;
  connect(url: string, login: Login): Promise<SdkClient>;
  finish(url: string, login: Login, back: URLSearchParams): Promise<void>;
}

const legacy: Sdk = {
  Unauthorized: LegacyUnauthorized,
  async connect(url, login) {
    const client = new LegacyClient({ name: 'test', version: '1' });
    // the SDK's own transport, whose optional members its own interface writes otherwise
    const transport = new LegacyTransport(new URL(url), { authProvider: login });
    await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
    return {
      names: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name) => (await client.callTool({ name, arguments: { value: 'hi' } })).content,
      close: () => client.close(),
    };
  },
  finish: (url, login, back) =>
    new LegacyTransport(new URL(url), { authProvider: login }).finishAuth(back.get('code') ?? ''),
};

const modern: Sdk = {
  Unauthorized: ModernUnauthorized,
  async connect(url, login) {
    const client = new ModernClient({ name: 'test', version: '1' });
    await client.connect(new ModernTransport(new URL(url), { authProvider: login }));
    return {
      names: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name) => (await client.callTool({ name, arguments: { value: 'hi' } })).content,
      close: () => client.close(),
    };
  },
  finish: (url, login, back) => new ModernTransport(new URL(url), { authProvider: login }).finishAuth(back),
};

/** Connects as applications do: refused at first, sent to a person, and in. */
async function signedIn(sdk: Sdk, url: string, choice: Choice): Promise<{ client: SdkClient; login: Login }> {
  const login = new Login();
  await expect(sdk.connect(url, login)).rejects.toBeInstanceOf(sdk.Unauthorized);
  await sdk.finish(url, login, await consented(login.asked ?? '', choice));
  return { client: await sdk.connect(url, login), login };
}

describe.each([
  ['@modelcontextprotocol/sdk', legacy],
  ['@modelcontextprotocol/client', modern],
])('%s', (_, sdk) => {
  test.each([
    ['/mcp', ['ref-echo'], 'ref-echo'],
    ['/mcp/ref', ['echo'], 'echo'],
  ])('signs in with a virtual key at %s, and calls what the key lets it', async (path, names, tool) => {
    const { client, login } = await signedIn(sdk, `${gateway.url}${path}`, { mode: 'vk', virtual_key: ALPHA });
    expect(login.asked?.searchParams.get('resource')).toBe(`${gateway.url}${path}`);
    expect(login.asked?.searchParams.get('scope')).toBe('mcp');
    expect(await client.names()).toEqual(names);
    expect(await client.call(tool)).toEqual([{ type: 'text', text: expect.stringContaining('hi') }]);
    await client.close();
  });

  test('renews its token by itself, and comes back to a person once the grant is revoked', async () => {
    const url = `${gateway.url}/mcp`;
    const { client, login } = await signedIn(sdk, url, { mode: 'session' });
    expect(await client.names()).toContain('other-echo');
    const before = login.saved;
    login.loseAccessToken();
    expect(await client.names()).toContain('other-echo');
    expect(login.saved).toBeGreaterThan(before);
    const { sessions } = JSON.parse(await (await fetch(`${gateway.url}/api/oauth2/sessions`)).text());
    for (const { id } of sessions) await fetch(`${gateway.url}/api/oauth2/sessions/${id}`, { method: 'DELETE' });
    login.asked = undefined;
    // the newer library says aloud that it starts anew
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await expect(client.names()).rejects.toBeInstanceOf(sdk.Unauthorized);
    warned.mockRestore();
    expect(login.asked).toBeInstanceOf(URL);
    await client.close();
  });
});
