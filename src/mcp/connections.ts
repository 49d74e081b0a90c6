import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { McpClientConfig } from '../config/schema.ts';
import type { AddressRules } from './address-guard.ts';
import { needsLogin, ownIdentity } from './auth/identity.ts';
import { sampleSource, type UpstreamAuth, withSource } from './auth/upstream-auth.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { openFleet } from './fleet/fleet.ts';
import type { TrustingFetch } from './patient-fetch.ts';
import type { ToolSafety } from './safety/tool-safety.ts';
import type { McpLog } from './telling.ts';
import type { McpTiming } from './timing.ts';
import type { Command } from './transports.ts';

/** What the connections of all clients need of the gateway. */
export interface ConnectionNeeds {
  /** Where stdio servers run: the app-dir. */
  readonly cwd: string;
  readonly log: McpLog;
  /** Carries the HTTP transports; must not time out by itself on silent streams. */
  readonly fetch?: FetchLike;
  /** Keeps a client's requests from leading inside; undefined = they may go anywhere. */
  readonly addressRulesOf?: (config: McpClientConfig) => AddressRules | undefined;
  readonly resolveCommand?: (command: string, args: readonly string[]) => Command;
  readonly environment?: NodeJS.ProcessEnv;
  /** Where the gateway keeps what it learns of its servers for its next start; nothing is kept without it. */
  readonly stateFolder?: string;
  /** Without it every tool passes as its server gives it. */
  readonly safety?: ToolSafety;
  /** The logins of clients that need one; without it these connect as if they needed none. */
  readonly auth?: UpstreamAuth;
  readonly random?: () => number;
}

interface Shared extends Pick<ConnectionOptions, 'changed' | 'peers'> {
  readonly timing: McpTiming;
  readonly http: TrustingFetch;
}

/** Makes the connections of clients, each with what all of them share. */
export class Connections {
  readonly options: ConnectionOptions;
  readonly #auth: UpstreamAuth | undefined;

  constructor(needs: ConnectionNeeds, shared: Shared) {
    this.options = optionsOf(needs, shared);
    this.#auth = needs.auth;
  }

  /** The connection of a client, which shows the login that the client needs. */
  of(config: McpClientConfig): Connection {
    const auth = this.#auth;
    if (!auth || !needsLogin(config)) return new Connection(config, this.options);
    const { transport } = this.options;
    const fetchOf = (now: McpClientConfig) =>
      auth.fetchFor({ config: now, identity: ownIdentity(now) }, transport.fetchOf(now));
    return new Connection(config, { ...this.options, transport: { ...transport, fetchOf } });
  }

  /** A connection that shows these headers in place of a login, and changes nothing. */
  sample(config: McpClientConfig, headers: Readonly<Record<string, string>>): Connection {
    const { transport } = this.options;
    const fetch = withSource(config, sampleSource(headers), transport.fetchOf(config));
    const ofSample = { ...transport, fetchOf: () => fetch };
    const options = { ...this.options, transport: ofSample, changed: () => undefined };
    return new Connection({ ...config, auth_type: 'none' }, options);
  }
}

function optionsOf(needs: ConnectionNeeds, { timing, http, changed, peers }: Shared): ConnectionOptions {
  const { cwd, resolveCommand, log, safety, environment = process.env, random = Math.random } = needs;
  const { manifests, ...keepers } = openFleet(needs.stateFolder, timing, (message) => log('warn', message, {}));
  return {
    transport: {
      cwd,
      resolveCommand,
      environment,
      fetchOf: (config) => needs.fetch ?? http.fetchOf(config.tls_config, needs.addressRulesOf?.(config)),
      graceMs: timing.graceMs,
      ...keepers,
    },
    timing,
    random,
    log,
    changed,
    peers,
    safety,
    manifests,
  };
}
