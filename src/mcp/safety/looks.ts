import { isObject, type JsonObject } from '../../model/json.ts';
import { definitionHash, pinnedPart } from './definition.ts';
import type { Finding } from './finding.ts';
import { findingsOf } from './scan.ts';

/** Looking at a large catalog takes a second, and requests are served meanwhile. */
const SLICE_MS = 10;

const findings = new WeakMap<JsonObject, readonly Finding[]>();

/** What a definition hides, found out once. */
export function definitionFindings(definition: JsonObject): readonly Finding[] {
  const known = findings.get(definition);
  if (known !== undefined) return known;
  const found = findingsOf(pinnedPart(definition));
  findings.set(definition, found);
  return found;
}

/** Looks at what a server has just listed, in slices, so that the review of it has little left to do. */
export async function lookAhead(listed: readonly unknown[], isKnown: (hash: string) => boolean): Promise<void> {
  let began = performance.now();
  for (const definition of listed) {
    if (!isObject(definition)) continue;
    if (!isKnown(definitionHash(definition))) definitionFindings(definition);
    if (performance.now() - began < SLICE_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    began = performance.now();
  }
}
