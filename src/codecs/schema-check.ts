import type { z } from 'zod';
import { GatewayError } from '../model/errors.ts';

/** Where in a request's body something stands, as in `messages`, 2, `content`. */
export type Path = readonly PropertyKey[];

/** Refuses a value for the first thing that its schema finds wrong. */
export function check(schema: z.ZodType, value: unknown, path: Path): void {
  const issue = schema.safeParse(value).error?.issues[0];
  if (issue) refuse([...path, ...issue.path], issue.message);
}

/** Throws GatewayError('invalid-request') that names the place, as in `messages.2.content.0.text: ...`. */
export function refuse(path: Path, what: string): never {
  const place = path.map(String).join('.');
  throw new GatewayError('invalid-request', place === '' ? what : `${place}: ${what}`, { param: place });
}
