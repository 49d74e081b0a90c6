import { z } from 'zod';
import { CONNECTION_STATES } from '../../mcp/contract.ts';

/** What the admin API takes and gives. The web UI imports the types of this file and nothing else of the gateway. */

const json: z.ZodType<unknown> = z.unknown();

const CONNECTION_TYPES = ['http', 'sse', 'stdio'] as const;
const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

const listed = (values: readonly string[]): string => `must be one of ${values.join(', ')}`;
const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number);

export const clientQuery = z.object({
  search: z.string().optional(),
  state: z.enum(CONNECTION_STATES, { error: listed(CONNECTION_STATES) }).optional(),
  connection_type: z.enum(CONNECTION_TYPES, { error: listed(CONNECTION_TYPES) }).optional(),
  limit: wholeNumber.optional().transform((limit) => Math.min(limit || DEFAULT_LIMIT, MAX_LIMIT)),
  offset: wholeNumber.optional().transform((offset) => offset ?? 0),
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
});

export const providerList = z.object({ providers: z.array(shownProvider), total: z.number() });

export const done = z.object({
  status: z.literal('success'),
  message: z.string(),
  mcp_client_id: z.string().optional(),
});

export const failure = z.object({
  is_bifrost_error: z.boolean(),
  status_code: z.number(),
  error: z.object({ message: z.string(), type: z.string().optional() }),
});

export type ClientQuery = z.output<typeof clientQuery>;
export type ShownTool = z.output<typeof shownTool>;
export type ShownClient = z.output<typeof shownClient>;
export type ClientList = z.output<typeof clientList>;
export type ShownProvider = z.output<typeof shownProvider>;
export type ProviderList = z.output<typeof providerList>;
export type Done = z.output<typeof done>;
export type Failure = z.output<typeof failure>;
