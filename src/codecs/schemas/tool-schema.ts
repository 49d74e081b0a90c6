import type { JsonObject } from '../../model/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { FunctionTool } from '../../model/request.ts';
import { type Derivation, type DerivedSchema, lossesAt } from './derivation.ts';

/** A schema under `strict: true`, or, where that asks for what the schema does not say, the plain one and why. */
export interface StrictSchema extends DerivedSchema {
  readonly isStrict: boolean;
  /** Ends the sentence "strict was dropped: ...". */
  readonly obstacle?: string;
}

/** How a deployment takes the schemas of tools. */
export interface ToolSchemas {
  readonly plain: Derivation;
  /** Of a tool with `strict: true`; absent = it knows no such tools. */
  readonly strict?: (given: JsonObject) => StrictSchema;
}

/** Where schema and strictness of a tool stand in the body that goes out. */
export interface ToolPlaces {
  readonly schema: string;
  readonly strict: string;
}

export interface WrittenTool {
  readonly schema: JsonObject;
  readonly isStrict: boolean;
}

/** A tool's schema for a deployment. What strict mode there could not hold to goes plain; `losses` gets the account. */
export function toolSchema(
  { inputSchema, strict }: Pick<FunctionTool, 'inputSchema' | 'strict'>,
  schemas: ToolSchemas,
  places: ToolPlaces,
  losses: Loss[],
): WrittenTool {
  const wanted = strict === true ? schemas.strict?.(inputSchema) : undefined;
  const written = wanted ?? schemas.plain(inputSchema);
  if (written.losses.length > 0) losses.push(...lossesAt(places.schema, written));
  if (strict === true && !wanted?.isStrict) {
    const reason = wanted?.obstacle ?? 'there are no strict tools here';
    losses.push({ field: places.strict, action: 'dropped', reason: `not strict here: ${reason}` });
  }
  return { schema: written.schema, isStrict: wanted?.isStrict === true };
}
