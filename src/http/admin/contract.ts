import { z } from 'zod';
import { CONNECTION_STATES } from '../../mcp/contract.ts';
import { SESSION_MODES } from './query-contract.ts';

/** What the admin API takes and gives; what it takes in addresses stands in `query-contract.ts`. */

const json: z.ZodType<unknown> = z.unknown();

/** What somebody has allowed a client at /mcp. */
export const oauthSession = z.object({
  id: z.string(),
  client_id: z.string(),
  client_name: z.string(),
  bf_mode: z.enum(SESSION_MODES),
  /** The id of the virtual key, or of the session. */
  bf_sub: z.string(),
  bf_sub_display: z.string().optional(),
  scope: z.string(),
  resource: z.string(),
  created_at: z.string(),
  /** When its tokens were renewed last. */
  last_used_at: z.string().optional(),
});

export const oauthSessionList = z.object({
  sessions: z.array(oauthSession),
  count: z.number(),
  total_count: z.number(),
  limit: z.number(),
  offset: z.number(),
});

export const shownTool = z.object({
  /** As models and MCP callers know it. */
  name: z.string(),
  /** As `tools_to_execute` and `tools_to_auto_execute` name it. */
  upstream_name: z.string(),
  description: z.string().optional(),
  parameters: z.record(z.string(), json),
  annotations: z.record(z.string(), json),
  /** Runs in the agent loop without asking. */
  auto_execute: z.boolean(),
});

export const shownClient = z.object({
  /** The config with its secrets redacted; references to environment variables are shown. */
  config: z.looseObject({ client_id: z.string(), name: z.string(), connection_type: z.string() }),
  state: z.enum(CONNECTION_STATES),
  tools: z.array(shownTool),
  /** What the server offers and `tools_to_execute` hides, by upstream name. */
  hidden_tools: z.array(z.string()),
  /** What is neither listed nor callable until it is released, by upstream name. */
  held_tools: z.array(z.object({ tool: z.string(), why: z.string() })),
  /** What hides something in its definition, by upstream name; `GET /api/mcp/safety/tools` has the details. */
  flagged_tools: z.array(z.object({ tool: z.string(), severity: z.string(), rules: z.array(z.string()) })),
  restarts: z.number(),
  /** The last lines that a stdio server wrote to stderr. */
  stderr: z.array(z.string()),
  last_failure: z.object({ stage: z.string(), message: z.string(), at: z.string(), since: z.string() }).optional(),
  server_info: z.record(z.string(), json).optional(),
  pid: z.number().optional(),
  /** The tools are those of an earlier run; the server was not asked yet. */
  is_stale: z.boolean(),
  /** A process that is not started, or was stopped, for want of calls. */
  is_resting: z.boolean(),
  /** The virtual keys that name this client. */
  vk_configs: z.array(
    z.object({ virtual_key_id: z.string(), virtual_key_name: z.string(), tools_to_execute: z.array(z.string()) }),
  ),
});

/** What `GET /api/mcp/clients` can be narrowed by, as far as some client has it. */
export const clientFacets = z.object({
  connection_types: z.array(z.string()),
  auth_types: z.array(z.string()),
  states: z.array(z.string()),
});

/** A tool of which something is to be known: it is held back, it changed, or its definition hides something. */
export const reviewedTool = z.object({
  client_id: z.string(),
  client_name: z.string(),
  /** As its server names it. */
  tool: z.string(),
  /** Why it is neither listed nor callable; absent = it is both. */
  held: z.enum(['definition-changed', 'tool-is-new', 'definition-flagged']).optional(),
  difference: z.enum(['changed', 'new']).optional(),
  since: z.string(),
  /** Of the definition as it is now; a release that names it releases no other. */
  hash: z.string(),
  pinned: z.object({ hash: z.string(), at: z.string() }).optional(),
  /** A tool that is gone and was the same in all but its name. */
  renamed_from: z.string().optional(),
  changes: z.array(z.object({ path: z.string(), before: z.string().optional(), after: z.string().optional() })),
  /** The changes for people: `-` what was, `+` what is, invisible characters written out. */
  diff: z.string(),
  findings: z.array(
    z.object({
      rule: z.string(),
      severity: z.enum(['high', 'medium', 'low']),
      where: z.string(),
      message: z.string(),
      excerpt: z.string(),
    }),
  ),
  definition: z.record(z.string(), json),
});

export const reviewedTools = z.object({ tools: z.array(reviewedTool), count: z.number(), held_count: z.number() });

export const releaseRequest = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ client_id: z.string(), tool: z.string().optional(), hash: z.string().optional() }),
]);

export const released = z.object({
  status: z.literal('success'),
  message: z.string(),
  released: z.array(z.object({ client_id: z.string(), tool: z.string() })),
});

export const clientList = z.object({
  clients: z.array(shownClient),
  count: z.number(),
  total_count: z.number(),
  limit: z.number(),
  offset: z.number(),
});

export const shownProvider = z.object({
  name: z.string(),
  keys: z.array(
    z.object({
      id: z.string().optional(),
      name: z.string(),
      /** The environment variable it comes from; the value itself is never shown. */
      reference: z.string().optional(),
      /** False when the key is empty, say because its variable is not set. */
      has_value: z.boolean(),
      models: z.array(z.string()).optional(),
      blacklisted_models: z.array(z.string()),
      weight: z.number(),
      enabled: z.boolean(),
    }),
  ),
  base_provider_type: z.string().optional(),
  /** Absent = it is asked as much as comes. */
  concurrency_and_buffer_size: z.object({ concurrency: z.number(), buffer_size: z.number() }).optional(),
});

export const providerList = z.object({ providers: z.array(shownProvider), total: z.number() });

export const done = z.object({
  /** `partial_success`: what was asked is kept, and does not work yet. */
  status: z.enum(['success', 'partial_success']),
  message: z.string(),
  mcp_client_id: z.string().optional(),
});

export const failure = z.object({
  is_bifrost_error: z.boolean(),
  status_code: z.number(),
  error: z.object({ message: z.string(), type: z.string().optional() }),
});

/** What became of one server of imported settings. */
export const importRow = z.object({
  source_name: z.string(),
  name: z.string(),
  status: z.enum(['added', 'would_add', 'skipped', 'failed']),
  reason: z.string().optional(),
  notes: z.array(z.string()),
  connection_type: z.string().optional(),
  mcp_client_id: z.string().optional(),
});

export const importReport = z.object({
  status: z.literal('success'),
  dry_run: z.boolean(),
  added: z.number(),
  skipped: z.number(),
  failed: z.number(),
  servers: z.array(importRow),
});

export const catalogInspection = z.object({
  caller: z.object({
    user_agent: z.string().optional(),
    include_clients: z.array(z.string()).optional(),
    include_tools: z.array(z.string()).optional(),
    has_virtual_key: z.boolean(),
  }),
  slug: z.string().optional(),
  model: z.string().optional(),
  tools: z.array(
    z.object({
      name: z.string(),
      client: z.string(),
      upstream_name: z.string(),
      visible: z.boolean(),
      /** Why it is not visible, for programs; `explanation` is for people. */
      reason: z.string().optional(),
      explanation: z.string().optional(),
      /** `direct`: as it is; otherwise behind the meta tools of that mode. */
      tool_mode: z.string(),
      auto_execute: z.boolean(),
      /** Whether a model request would be given it. */
      injected: z.boolean(),
      not_injected_because: z.string().optional(),
    }),
  ),
  visible_count: z.number(),
  /** What a model or an MCP caller is given in the end, meta tools among it. */
  offered: z.array(z.string()),
  clients: z.array(
    z.object({
      name: z.string(),
      state: z.enum(CONNECTION_STATES),
      tool_count: z.number(),
      visible_count: z.number(),
      last_failure: z.string().optional(),
    }),
  ),
});

export type CatalogInspection = z.output<typeof catalogInspection>;
export type ImportRow = z.output<typeof importRow>;
export type ImportReport = z.output<typeof importReport>;
export type OauthSession = z.output<typeof oauthSession>;
export type OauthSessionList = z.output<typeof oauthSessionList>;
export type ClientFacets = z.output<typeof clientFacets>;
export type ShownTool = z.output<typeof shownTool>;
export type ShownClient = z.output<typeof shownClient>;
export type ReviewedTool = z.output<typeof reviewedTool>;
export type ReviewedTools = z.output<typeof reviewedTools>;
export type Released = z.output<typeof released>;
export type ClientList = z.output<typeof clientList>;
export type ShownProvider = z.output<typeof shownProvider>;
export type ProviderList = z.output<typeof providerList>;
export type Done = z.output<typeof done>;
export type Failure = z.output<typeof failure>;
