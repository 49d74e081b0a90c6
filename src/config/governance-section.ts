import { z } from 'zod';
import { pricingOverride } from './pricing-section.ts';
import { secret } from './secrets.ts';
import { whiteList } from './white-list.ts';

const list = <Entry extends z.ZodType>(entry: Entry) =>
  z
    .array(entry)
    .nullish()
    .transform((entries) => entries ?? []);

const mcpAccess = z.looseObject({
  mcp_client_id: z.union([z.string(), z.number()]).nullish().describe('The client; or mcp_client_name.'),
  mcp_client_name: z.string().nullish().describe('The client; or mcp_client_id.'),
  tools_to_execute: whiteList
    .nullish()
    .transform((names) => names ?? [])
    .describe('Names without the prefix. ["*"]: every tool of the client; []: none.'),
});

const UNENFORCED = 'Not enforced yet: a key that has one is refused.';

/** Of the section's keys, what says who calls and what they may use of the MCP clients. */
const virtualKey = z.looseObject({
  id: z.string().min(1).describe('How prices, virtual MCPs and the API name it.'),
  name: z.string().min(1).describe('How logs and people name it.'),
  value: secret
    .prefault('')
    .describe('What callers show: x-bf-vk, or a bearer token or API key that begins with sk-bf-.'),
  description: z.string().nullish().describe('For people.'),
  is_active: z
    .boolean()
    .nullish()
    .transform((isActive) => isActive ?? true)
    .describe('false = the key is refused.'),
  expires_at: z
    .string()
    .refine((text) => !Number.isNaN(Date.parse(text)), { message: 'is no date: write 2027-01-31T00:00:00Z' })
    .nullish()
    .describe('From then on the key is refused.'),
  mcp_configs: list(mcpAccess).describe(
    'The MCP clients that the key may use, beside those with allow_by_default; in version 1, empty = all.',
  ),
  provider_configs: list(z.looseObject({})).describe('Not enforced yet: a key that has some may ask no model.'),
  budget_id: z.string().nullish().describe(UNENFORCED),
  rate_limit_id: z.string().nullish().describe(UNENFORCED),
  access_profile_id: z.string().nullish().describe(UNENFORCED),
  team_id: z.string().nullish().describe('A team of governance.teams, whose limits are not enforced yet either.'),
  customer_id: z
    .string()
    .nullish()
    .describe('A customer of governance.customers, whose limits are not enforced yet either.'),
  calendar_aligned: z.boolean().nullish().describe('Of budgets, which are not enforced yet.'),
});

/** What one key says of the MCP clients, apart from the key itself. */
export const keyAccess = z.object({ id: z.string().min(1), mcp_configs: list(mcpAccess) });

export const governanceSection = z.looseObject({
  virtual_keys: list(virtualKey).describe('The keys that callers of the gateway show.'),
  pricing_overrides: list(pricingOverride).describe('Prices of one’s own; the most specific one counts.'),
  auth_config: z.looseObject({}).nullish().describe('Not served yet: one that asks for a login stops the start.'),
});

export type VirtualKeyConfig = z.output<typeof virtualKey>;
export type KeyAccess = z.output<typeof keyAccess>;
export type GovernanceConfig = z.output<typeof governanceSection>;
