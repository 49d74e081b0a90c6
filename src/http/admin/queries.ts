import type { Request } from 'express';
import type { z } from 'zod';
import { adminError } from './errors.ts';

/** The query string by its schema. Throws GatewayError with status 400 that names the parameter. */
export function checkedQuery<Schema extends z.ZodType>(schema: Schema, { query }: Request): z.output<Schema> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw adminError(400, `Invalid ${String(issue?.path[0])} parameter: ${issue?.message}`);
}
