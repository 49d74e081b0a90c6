import { z } from 'zod';

/** A value that may be secret, and the reference it came from. Shown only through `redacted`. */
export interface Secret {
  readonly value: string;
  /** `env.NAME`, when the config named a variable instead of the value. */
  readonly ref?: string;
  /** True when `ref` names a variable that is not set: the value is empty then. */
  readonly unset?: boolean;
}

export const secretOf = (text: string, env: NodeJS.ProcessEnv = process.env): Secret => {
  if (!text.startsWith('env.')) return { value: text };
  const value = env[text.slice(4)];
  return value ? { value, ref: text } : { value: '', ref: text, unset: true };
};

/** A secret-typed config field: text, `env.NAME`, or the older object forms `{value, env_var, from_env}` / `{ref, type}`. */
export const secret = z
  .union([
    z.string(),
    z.looseObject({
      value: z.string().optional(),
      env_var: z.string().optional(),
      ref: z.string().optional(),
      type: z.string().optional(),
    }),
  ])
  .transform((given): Secret => {
    if (typeof given === 'string') return secretOf(given);
    const name = given.type === 'env' ? given.ref : given.env_var;
    if (name) return secretOf(name.startsWith('env.') ? name : `env.${name}`);
    return secretOf(given.value ?? given.ref ?? '');
  });

/** How a secret is shown: its reference, or its first and last four characters around 24 stars. */
export function redacted(given: Secret): string {
  if (given.ref) return given.ref;
  const { value } = given;
  return value.length <= 8 ? '*'.repeat(value.length) : `${value.slice(0, 4)}${'*'.repeat(24)}${value.slice(-4)}`;
}
