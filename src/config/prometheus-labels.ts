import { z } from 'zod';

/** What the metrics say of every call or tool run by themselves, ours and the original's: a second label of that name would be none. */
export const OWN_LABELS: readonly string[] = [
  'provider',
  'model',
  'alias',
  'method',
  'virtual_key_id',
  'virtual_key_name',
  'routing_engine_used',
  'routing_rule_id',
  'routing_rule_name',
  'complexity_tier',
  'complexity_mechanism',
  'selected_key_id',
  'selected_key_name',
  'fallback_index',
  'team_id',
  'team_name',
  'customer_id',
  'customer_name',
  'business_unit_id',
  'business_unit_name',
  'project_id',
  'project_name',
  'user_id',
  'user_name',
  'mcp_client',
  'mcp_tool_name',
  'mcp_method',
  'is_success',
  'status_code',
  'error_type',
  'cache_type',
  'le',
];

/** Prometheus data model: what a label may be called; `__` begins its own. */
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Names of labels, whose hyphens are underscores there. */
export const prometheusLabels = z
  .array(
    z
      .string()
      .transform((name) => name.replaceAll('-', '_'))
      .refine((name) => LABEL.test(name), {
        error: ({ input }) =>
          `"${input}" cannot be a label: write letters, digits and underscores, and begin with a letter`,
      })
      .refine((name) => !OWN_LABELS.includes(name), {
        error: ({ input }) => `"${input}" is a label that the metrics have by themselves: choose another name`,
      }),
  )
  .refine((names) => new Set(names).size === names.length, { message: 'the list names a label twice' })
  .default([]);
