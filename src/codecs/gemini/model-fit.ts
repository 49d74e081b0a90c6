import type { BodySource } from '../../model/request.ts';
import type { ModelTraits } from '../../model/traits.ts';
import { camelCased } from './casing.ts';
import { objectOf } from './wire.ts';

/** Whether nothing in a body is what its model refuses, so that it may travel as it is. */
export function fitsModel(source: BodySource, { maxOutputTokens, reasoning }: ModelTraits): boolean {
  if (maxOutputTokens === undefined && reasoning !== false) return true;
  const given = source.member('generationConfig') ?? source.member('generation_config');
  if (given === undefined) return true;
  const config = camelCased(objectOf(given));
  const asked = typeof config.maxOutputTokens === 'number' ? config.maxOutputTokens : 0;
  if (maxOutputTokens !== undefined && asked > maxOutputTokens) return false;
  return reasoning !== false || config.thinkingConfig === undefined;
}
