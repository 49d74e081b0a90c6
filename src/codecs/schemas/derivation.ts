import type { JsonObject } from '../../model/json.ts';
import type { Loss } from '../../model/loss.ts';
import { memoised } from './memo.ts';

/** One thing that a derivation did to a schema; `path` is where in it, empty for the root. */
export interface SchemaLoss {
  readonly path: string;
  readonly action: Loss['action'];
  readonly reason: string;
}

export type Report = (loss: SchemaLoss) => void;

/** One thing that a target wants of schemas. Gives the very same schema where there is nothing to do; pure. */
export type SchemaRule = (schema: JsonObject, report: Report) => JsonObject;

/** A schema as a target takes it. Shared between requests: nobody changes it. */
export interface DerivedSchema {
  readonly schema: JsonObject;
  readonly losses: readonly SchemaLoss[];
}

/** How a target derives its schemas from what came: rules one after the other, each answer remembered. */
export type Derivation = (given: JsonObject) => DerivedSchema;

export const derivation = (...rules: readonly SchemaRule[]): Derivation =>
  memoised((given: JsonObject): DerivedSchema => {
    const losses: SchemaLoss[] = [];
    const report: Report = (loss) => losses.push(loss);
    return { schema: rules.reduce((schema, rule) => rule(schema, report), given), losses };
  });

/** The losses of a derivation as the ledger has them; `at` is where the schema stands in the body that goes out. */
export const lossesAt = (at: string, { losses }: DerivedSchema): Loss[] =>
  losses.map(({ path, action, reason }) => ({ field: `${at}${path}`, action, reason }));
