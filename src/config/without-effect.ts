import type { z } from 'zod';

/** What config.schema.json says of such a setting. */
export const WITHOUT_EFFECT = 'Accepted for compatibility; without effect.';

/** A setting of the original that nothing here reads: whoever sets it to anything but its default is told so. */
export const withoutEffect = <Schema extends z.ZodType>(schema: Schema): Schema => schema.describe(WITHOUT_EFFECT);

/** Whether a value is one that has no effect although its author asks for one. */
export function asksInVain(schema: unknown, value: unknown): boolean {
  if (value === false || !isSchema(schema) || schema.description !== WITHOUT_EFFECT) return false;
  const [usual, given] = [undefined, value].map((each) => JSON.stringify(schema.safeParse(each).data));
  return usual !== given;
}

const isSchema = (given: unknown): given is z.ZodType =>
  typeof given === 'object' && given !== null && 'safeParse' in given;
