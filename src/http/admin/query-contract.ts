import { z } from 'zod';
import { CONNECTION_STATES } from '../../mcp/contract.ts';

/** What the admin API takes behind the `?` of its addresses; `contract.ts` has the rest. */

const CONNECTION_TYPES = ['http', 'sse', 'stdio', 'openapi'] as const;
const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

const listed = (values: readonly string[]): string => `must be one of ${values.join(', ')}`;
/** An empty text is an absent one: forms send them all. */
const count = z
  .string()
  .regex(/^$|^[+-]?\d{1,9}$/, 'must be a number')
  .transform((text) => Number(text))
  .pipe(z.number().min(0, 'must be non-negative'))
  .optional();

const STATES_RULE = `must be 'healthy' or 'unstable', or one of ${CONNECTION_STATES.slice(2).join(', ')}`;

const entries = z
  .string()
  .optional()
  .transform((text) => text?.split(',').flatMap((entry) => entry.trim() || []) ?? []);

const listOf = <Word extends string>(words: readonly [Word, ...Word[]]) =>
  entries.pipe(z.array(z.enum(words, { error: listed(words) })));

/** As Go reads booleans. */
const flag = z
  .string()
  .regex(/^(?:|[01tTfF]|true|TRUE|True|false|FALSE|False)$/, 'must be a boolean')
  .optional()
  .transform((text) => (text ? /^[1t]/i.test(text) : undefined));

/** Of a list: at most `limit` rows after the first `offset`, of those that match `search`. */
const paging = {
  search: z.string().optional(),
  limit: count.transform((limit) => Math.min(limit || DEFAULT_LIMIT, MAX_LIMIT)),
  offset: count.transform((offset) => offset ?? 0),
};

export const pageQuery = z.object(paging);

/** Lists are separated by commas; whoever has one of their entries matches. */
export const clientQuery = z.object({
  ...paging,
  /** Names or ids of clients. */
  server: entries,
  state: entries.pipe(z.array(z.enum(CONNECTION_STATES, { error: STATES_RULE }))),
  connection_type: listOf(CONNECTION_TYPES),
  auth_type: entries,
  virtual_keys: entries,
  /** Those that every virtual key may use. */
  all_virtual_keys: flag,
  code_mode: flag,
  disabled: flag,
});

const LIBRARY_ORDERS = ['name', 'category', 'publisher', 'created_at', 'updated_at'] as const;

/** Of the library of known servers. */
export const libraryQuery = z.object({
  ...paging,
  category: entries,
  connection_type: entries,
  auth_type: entries,
  /** Whoever has one of them matches. */
  tags: entries,
  sort_by: z.enum(LIBRARY_ORDERS, { error: listed(LIBRARY_ORDERS) }).default('name'),
  order: z.enum(['asc', 'desc'], { error: listed(['asc', 'desc']) }).default('asc'),
});

export const SESSION_MODES = ['user', 'vk', 'session'] as const;
const MOST_SESSIONS = 500;

const numberOf = (text: string | undefined, otherwise: number): number => (text ? Number(text) : otherwise);

export const oauthSessionQuery = z.object({
  /** Looked for in names and ids of clients and of whom they act as. */
  q: z
    .string()
    .default('')
    .transform((text) => text.trim()),
  bf_mode: entries.pipe(z.array(z.enum(SESSION_MODES, { error: 'must be one or more of user, vk, session' }))),
  virtual_key_id: entries,
  limit: z
    .string()
    .optional()
    .transform((text) => numberOf(text, 50))
    .pipe(z.number('must be a number').int('must be a number').positive('must be greater than zero'))
    .transform((limit) => Math.min(limit, MOST_SESSIONS)),
  offset: z
    .string()
    .optional()
    .transform((text) => numberOf(text, 0))
    .pipe(z.number('must be a number').int('must be a number').min(0, 'must be non-negative')),
});

export const reviewQuery = z.object({
  client_id: z.string().optional(),
  /** `true`: only what is held back. */
  held: z
    .string()
    .optional()
    .transform((held) => held === 'true' || held === '1'),
});

export const inspectQuery = z.object({
  /** Of a virtual MCP or a client: what the request would see at /mcp/<slug>. */
  slug: z.string().min(1).optional(),
  /** Names of the tools that the request has itself. */
  tools: entries,
  model: z.string().optional(),
});

export type OauthSessionQuery = z.output<typeof oauthSessionQuery>;
export type LibraryQuery = z.output<typeof libraryQuery>;
export type ClientQuery = z.output<typeof clientQuery>;
