import type { GovernanceConfig, VirtualKeyConfig } from '../config/governance-section.ts';
import { isObject, type JsonObject } from '../model/json.ts';

/** Where limits are written at a key, a team or a customer. */
const LIMITS = ['budget_id', 'budgets', 'budget', 'rate_limit_id', 'rate_limits', 'rate_limit', 'access_profile_id'];

/** By the id of each key: the limits that it promises, its own and those of whom it belongs to. None of them is enforced. */
export function unenforcedLimits(governance: GovernanceConfig): ReadonlyMap<string, readonly string[]> {
  const promised = governance.virtual_keys.map((key) => [key.id, limitsOf(key, governance)] as const);
  return new Map(promised.filter(([, limits]) => limits.length > 0));
}

function limitsOf(key: VirtualKeyConfig, governance: GovernanceConfig): readonly string[] {
  const { budgets, teams, customers } = governance;
  const isOwned = objects(budgets).some(({ virtual_key_id: owner }) => owner === key.id);
  const team = objects(teams).find(({ id }) => id === key.team_id);
  const customer = objects(customers).find(({ id }) => id === key.customer_id || id === team?.customer_id);
  return [
    ...named(key),
    ...(isOwned ? ['governance.budgets'] : []),
    ...ownersLimits('team', 'team_id', team, governance),
    ...ownersLimits('customer', 'customer_id', customer, governance),
  ];
}

function ownersLimits(
  kind: string,
  field: string,
  owner: JsonObject | undefined,
  { budgets }: GovernanceConfig,
): readonly string[] {
  if (!owner) return [];
  const isOwned = objects(budgets).some((budget) => budget[field] === owner.id);
  return [...named(owner).map((limit) => `${kind}.${limit}`), ...(isOwned ? [`${kind}.budgets`] : [])];
}

const named = (owner: object): readonly string[] =>
  Object.entries(owner)
    .filter(([name, value]) => LIMITS.includes(name) && !isEmpty(value))
    .map(([name]) => name);

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

const objects = (list: unknown): readonly JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : []);
