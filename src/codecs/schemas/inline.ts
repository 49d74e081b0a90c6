import { isObject, type JsonObject } from '../../model/json.ts';
import type { SchemaRule } from './derivation.ts';
import { Growth } from './growth.ts';
import { merged } from './normal.ts';
import { pointed } from './references.ts';
import { mapSchemas } from './walk.ts';

interface Walk {
  readonly root: JsonObject;
  readonly growth: Growth;
  isCut: boolean;
}

/** For targets without definitions: each reference becomes what it leads to. One inside itself ends as its bare type. */
export const inlinesReferences: SchemaRule = (root, report) => {
  const { $defs, definitions, ...rest } = root;
  if ($defs === undefined && definitions === undefined && !JSON.stringify(root).includes('"$ref"')) return root;
  const walk: Walk = { root, growth: new Growth(), isCut: false };
  const inlined = inlinedIn(rest, walk, []);
  report({ path: '.$defs', action: 'rewritten', reason: 'references are written out where they stand' });
  if (walk.isCut) report({ path: '', action: 'dropped', reason: 'it holds itself, which is cut off after one turn' });
  return inlined;
};

/** `trail`: the references that led here. */
const inlinedIn = (schema: JsonObject, walk: Walk, trail: readonly string[]): JsonObject =>
  mapSchemas(schema, (inner) => (typeof inner.$ref === 'string' ? followed(inner.$ref, inner, walk, trail) : inner));

function followed(ref: string, schema: JsonObject, walk: Walk, trail: readonly string[]): JsonObject {
  const { $ref: _, ...beside } = schema;
  const target = pointed(walk.root, ref);
  if (!isObject(target)) return beside;
  walk.growth.countPlace();
  if (walk.growth.allows(ref, target, trail)) {
    return merged(inlinedIn(target, walk, [...trail, ref]), beside);
  }
  walk.isCut = true;
  return { ...(target.type !== undefined && { type: target.type }), ...beside };
}
