import { isEffort } from '../../codecs/efforts.ts';
import { isObject, type JsonObject, ownValue } from '../../model/json.ts';
import type { ModelTraits } from '../../model/traits.ts';
import { bareName } from './names.ts';

/** What a price sheet says of a model, under the names of the original's sheet; those it lacks are ours. */
export interface ModelRow {
  readonly max_input_tokens?: number | undefined;
  readonly max_output_tokens?: number | undefined;
  readonly supports_function_calling?: boolean | undefined;
  readonly supports_vision?: boolean | undefined;
  readonly supports_response_schema?: boolean | undefined;
  readonly supports_reasoning?: boolean | undefined;
  /** False for a model that refuses what steers sampling. */
  readonly supports_temperature?: boolean | undefined;
  readonly reasoning_efforts?: readonly string[] | undefined;
  /** How a Claude model is asked to think. */
  readonly thinking?: 'budget' | 'adaptive' | 'both' | undefined;
  /** `responses` for a model that is served in the Responses API only. */
  readonly mode?: string | undefined;
  /** False for a model that a chat may not ask to reason beside tools. */
  readonly supports_reasoning_with_tool_calls?: boolean | undefined;
  readonly input_cost_per_token?: number | undefined;
  readonly output_cost_per_token?: number | undefined;
  readonly cache_read_input_token_cost?: number | undefined;
  readonly cache_creation_input_token_cost?: number | undefined;
  readonly cost_per_request?: number | undefined;
}

/** The traits that a row tells; what it does not say stays as it is known. */
export function traitsOfRow(row: ModelRow): ModelTraits {
  const { thinking, reasoning_efforts: efforts, supports_temperature: takesSampling } = row;
  return {
    ...(row.max_input_tokens !== undefined && { contextWindow: row.max_input_tokens }),
    ...(row.max_output_tokens !== undefined && { maxOutputTokens: row.max_output_tokens }),
    ...(row.supports_function_calling !== undefined && { tools: row.supports_function_calling }),
    ...(row.supports_vision !== undefined && { vision: row.supports_vision }),
    ...(row.supports_response_schema !== undefined && { structuredOutput: row.supports_response_schema }),
    ...(row.supports_reasoning !== undefined && { reasoning: row.supports_reasoning }),
    ...(efforts !== undefined && { efforts: efforts.filter(isEffort) }),
    ...(takesSampling === false && { sampling: 'never' as const }),
    ...(takesSampling === true && { sampling: undefined }),
    ...(row.supports_reasoning_with_tool_calls === false && { responsesApi: 'for-tools' as const }),
    ...(row.mode === 'responses' && { responsesApi: 'only' as const }),
    ...(thinking !== undefined && {
      reasoning: true,
      thinking: { budget: thinking !== 'adaptive', adaptive: thinking !== 'budget', canStop: true },
    }),
  };
}

/** The rows for a model, the most telling last: a beginning, then the bare name, the name, and the name at its provider. */
export function matchingRows(
  rows: Readonly<Record<string, ModelRow>>,
  provider: string,
  model: string,
): readonly ModelRow[] {
  const whole = `${provider}/${model}`;
  const beginnings = Object.keys(rows)
    .filter((key) => key.endsWith('*') && [model, whole].some((name) => name.startsWith(key.slice(0, -1))))
    .sort((a, b) => a.length - b.length);
  return [...new Set([...beginnings, bareName(model), model, whole])].flatMap((key) => ownValue(rows, key) ?? []);
}

const NUMBERS = [
  'max_input_tokens',
  'max_output_tokens',
  'input_cost_per_token',
  'output_cost_per_token',
  'cache_read_input_token_cost',
  'cache_creation_input_token_cost',
  'cost_per_request',
] as const;

const FLAGS = [
  'supports_function_calling',
  'supports_vision',
  'supports_response_schema',
  'supports_reasoning',
  'supports_temperature',
  'supports_reasoning_with_tool_calls',
] as const;

/** The rows of a sheet's text: an object by model. Members that are not as they should be are left out. Throws SyntaxError. */
export function rowsOfSheet(text: string): Record<string, ModelRow> {
  const sheet: unknown = JSON.parse(text);
  if (!isObject(sheet)) throw new SyntaxError('a model sheet is an object with a row for each model');
  return Object.fromEntries(
    Object.entries(sheet).flatMap(([name, row]) => (isObject(row) ? [[name, rowOf(row)]] : [])),
  );
}

function rowOf(given: JsonObject): ModelRow {
  const { reasoning_efforts: efforts, thinking, mode } = given;
  const isCount = (key: string) => typeof given[key] === 'number' && Number(given[key]) >= 0;
  return {
    ...Object.fromEntries(NUMBERS.filter(isCount).map((key) => [key, given[key]])),
    ...Object.fromEntries(FLAGS.filter((key) => typeof given[key] === 'boolean').map((key) => [key, given[key]])),
    ...(typeof mode === 'string' && { mode }),
    ...(Array.isArray(efforts) && { reasoning_efforts: efforts.filter(isEffort) }),
    ...((thinking === 'budget' || thinking === 'adaptive' || thinking === 'both') && { thinking }),
  };
}
