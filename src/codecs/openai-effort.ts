import type { ReasoningEffort, Settings } from '../model/request.ts';
import type { EncodeTarget } from './codec.ts';
import type { Ledger } from './ledger.ts';

/** Reasoning settings of another format in OpenAI's words; `field` is where they go, for the ledger. */
export function effortOf(
  { reasoning, maxOutputTokens }: Settings,
  target: EncodeTarget,
  field: string,
  ledger: Ledger,
): string | undefined {
  if (!reasoning) return undefined;
  if (target.reasoning !== true) {
    if (reasoning.effort !== 'none') ledger.dropped(field, `${target.model} is not known to reason`);
    return undefined;
  }
  if (!target.efforts && (reasoning.effort === 'max' || reasoning.effort === 'xhigh')) {
    ledger.rewritten(field, `not every model knows "${reasoning.effort}"; high is the most that all know`);
    return 'high';
  }
  if (reasoning.effort) {
    const saysMore = reasoning.adaptive || reasoning.budgetTokens !== undefined;
    if (saysMore) ledger.rewritten(field, 'the effort alone says how long the model thinks');
    return reasoning.effort;
  }
  const { budgetTokens } = reasoning;
  const effort = budgetTokens === undefined ? 'medium' : effortOfBudget(budgetTokens, maxOutputTokens);
  ledger.rewritten(field, `"${effort}" stands for ${budgetTokens ?? 'adaptive'} thinking`);
  return effort;
}

/** The smallest thinking budget (Anthropic Messages API, thinking.budget_tokens). */
const MIN_BUDGET = 1_024;

/** How much of the room above the smallest budget is asked for; the original gateway's thresholds. */
function effortOfBudget(budget: number, maxOutputTokens: number | undefined): ReasoningEffort {
  if (budget <= 0) return 'none';
  if (maxOutputTokens === undefined || maxOutputTokens <= MIN_BUDGET) return 'high';
  const share = (budget - MIN_BUDGET) / (maxOutputTokens - MIN_BUDGET);
  if (share <= 0.25) return 'low';
  return share <= 0.6 ? 'medium' : 'high';
}
