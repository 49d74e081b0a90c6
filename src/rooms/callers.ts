import type { IncomingHttpHeaders } from 'node:http';
import type { KeyAccess } from '../config/governance-section.ts';
import type { Config } from '../config/load.ts';
import type { McpClientConfig } from '../config/schema.ts';
import { unenforcedLimits } from '../governance/unenforced.ts';
import { VirtualKeys } from '../governance/virtual-keys.ts';
import { callerFor, decidingContents } from '../http/caller.ts';
import { afterStep, requiring } from '../http/header-rules.ts';
import { dimensioned, loggableHeaders, withLogLabels } from '../http/log-labels.ts';
import { type Admission, mcpAdmission, mcpStanding } from '../http/mcp-admission.ts';
import { WatchedStreams } from '../http/watched-streams.ts';
import type { Log } from '../logs/process-log.ts';
import type { McpClients } from '../mcp/clients.ts';
import type { VirtualMcps } from '../mcp/virtual-mcps.ts';
import type { CallContext, Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import type { SignIn } from './mcp-sign-in.ts';

/** Who calls, as every way in asks it. */
export interface Callers {
  /** On the routes of models. Throws GatewayError when the key is not good, or missing where it must be shown. */
  readonly callerOf: (headers: IncomingHttpHeaders) => Caller;
  readonly atMcp: Admission;
  /** Absent where nobody who came in can be shut out again. */
  readonly streamsAtMcp?: WatchedStreams;
}

const KEY_REQUIRED =
  'virtual key is required: set one of x-bf-vk, Authorization: Bearer <vk>, x-api-key, or x-goog-api-key';

/** The virtual keys of the config, with what the API has changed of them (`access`). */
export function openVirtualKeys(
  config: Config,
  mcp: McpClients,
  virtualMcps: VirtualMcps,
  access: readonly KeyAccess[],
  log: Log,
): VirtualKeys {
  const changed = new Map(access.map(({ id, mcp_configs }) => [id, mcp_configs]));
  const keys = new VirtualKeys({
    keys: config.governance.virtual_keys.map((key) => ({
      ...key,
      mcp_configs: changed.get(key.id) ?? key.mcp_configs,
    })),
    unenforced: unenforcedLimits(config.governance),
    version: config.version,
    clients: () => mcp.statuses().flatMap(({ id }): McpClientConfig[] => listOf(mcp.config(id))),
    catalog: () => mcp.catalog,
    virtualMcps: () => virtualMcps.list,
  });
  for (const warning of keys.warnings) log('warn', warning);
  if (keys.isEmpty && config.client.enforce_auth_on_inference) {
    log('warn', 'enforce_auth_on_inference is true and governance.virtual_keys is empty: nobody may call; add a key');
  }
  return keys;
}

const listOf = <Value>(value: Value | undefined): Value[] => (value === undefined ? [] : [value]);

/** Where no key is configured, callers cost what they cost without any. */
export function openCallers(
  { client }: Config,
  mcp: McpClients,
  keys: VirtualKeys,
  signIn: SignIn | undefined,
): Callers {
  const { enforce_auth_on_inference: requiresKey, mcp_server_auth_mode: mode } = client;
  const logged = loggableHeaders(client.logging_headers);
  const labelled = [
    ...(client.prometheus_labels.length > 0 ? [dimensioned(client.prometheus_labels)] : []),
    ...(client.allow_per_request_content_storage_override ? [decidingContents] : []),
  ].reduce(
    afterStep,
    (headers: IncomingHttpHeaders): Caller =>
      withLogLabels(callerFor(headers, mcp.allowedExtraHeaders, mcp.asksForLogins), headers, logged),
  );
  const isOpen = client.required_headers.length === 0;
  const required = requiring(client.required_headers);
  const plain = isOpen ? labelled : (headers: IncomingHttpHeaders) => required(labelled(headers), headers);
  if (isOpen && keys.isEmpty && !requiresKey && mode === 'headers') return { callerOf: plain, atMcp: plain };
  const identified =
    keys.isEmpty && !requiresKey ? (caller: Caller) => caller : (caller: Caller) => keys.identified(caller);
  const { server, issuerUrl } = signIn ?? {};
  const admission = { mode, requiresKey, callerOf: plain, identified, server, issuerUrl };
  const streamsAtMcp = new WatchedStreams(mcpStanding(admission));
  if (server) server.grants.onrevoked = () => streamsAtMcp.check();
  return {
    callerOf: (headers) => {
      const caller = identified(plain(headers));
      if (requiresKey && !caller.keyOwner) {
        throw new GatewayError('authentication', KEY_REQUIRED, { type: 'virtual_key_required' });
      }
      return caller;
    },
    atMcp: mcpAdmission(admission),
    streamsAtMcp,
  };
}

type Asked<Request, Answer> = (request: Request, context: CallContext) => Answer;

/** The way to the models for those whose key lets them; as it is where there are no keys. */
export function forAllowedCallers<Request, Answer>(
  ask: Asked<Request, Answer>,
  keys: VirtualKeys,
): Asked<Request, Answer> {
  if (keys.isEmpty) return ask;
  return (request, context) => {
    const { modelsRefused } = context.caller;
    if (modelsRefused !== undefined)
      throw new GatewayError('permission', modelsRefused, { type: 'virtual_key_blocked' });
    return ask(request, context);
  };
}
