import { z } from 'zod';
import { isObject } from '../model/json.ts';
import type { PathStep } from './json-text.ts';

/** A value that may be secret, and the reference it came from. Shown only through `redacted`. */
export interface Secret {
  readonly value: string;
  /** `env.NAME`, when the config named a variable instead of the value, or `vault.path#key`. */
  readonly ref?: string;
  /** True when `ref` names a variable that is not set, or a vault, which nothing here reads: the value is empty then. */
  readonly unset?: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const VAULT = /^vault\.[^#]+#./;

export const secretOf = (text: string, env: Environment = process.env): Secret => {
  if (VAULT.test(text)) return { value: '', ref: text, unset: true };
  if (!text.startsWith('env.')) return { value: text };
  const value = env[text.slice(4)];
  return value ? { value, ref: text } : { value: '', ref: text, unset: true };
};

/** A secret-typed config field: text, `env.NAME`, or the older object forms `{value, env_var, from_env}` / `{ref, type}`. */
export const secret = z
  .union(
    [
      z.string(),
      z.looseObject({
        value: z.string().optional().describe('The text itself.'),
        env_var: z.string().optional().describe('The name of an environment variable.'),
        ref: z.string().optional().describe('What type says: the name of a variable.'),
        type: z.string().optional().describe('env'),
      }),
    ],
    { error: 'expected text, or "env.NAME" for the value of an environment variable' },
  )
  .transform((given): Secret => {
    if (typeof given === 'string') return secretOf(given);
    if (given.type === 'vault' && given.ref) return secretOf(`vault.${given.ref.replace(/^vault\./, '')}`);
    const name = given.type === 'env' ? given.ref : given.env_var;
    if (name) return secretOf(name.startsWith('env.') ? name : `env.${name}`);
    return secretOf(given.value ?? given.ref ?? '');
  })
  .meta({ id: 'secret', description: 'Text, or "env.NAME" for the value of an environment variable.' });

/** Everything inside `value` again, its references read from `env`; `onUnset` hears of each that gives nothing. */
export function resolveSecrets<Value>(
  value: Value,
  env: Environment,
  onUnset: (path: readonly PathStep[], reference: string) => void,
): Value {
  const resolve = (given: unknown, path: readonly PathStep[]): unknown => {
    if (Array.isArray(given)) return given.map((entry, index) => resolve(entry, [...path, index]));
    if (!isObject(given)) return given;
    if (!isReference(given)) {
      return Object.fromEntries(Object.entries(given).map(([key, entry]) => [key, resolve(entry, [...path, key])]));
    }
    const found = secretOf(given.ref, env);
    if (found.unset) onUnset(path, given.ref);
    return found;
  };
  // The walk rebuilds the same shape and changes only what stands inside secrets.
  return resolve(value, []) as Value;
}

const isReference = (given: object): given is Secret & { ref: string } =>
  'value' in given && 'ref' in given && typeof given.ref === 'string' && /^(?:env|vault)\./.test(given.ref);

/** How a secret is shown: its reference, or its first and last four characters around 24 stars. */
export function redacted(given: Secret): string {
  if (given.ref) return given.ref;
  const { value } = given;
  return value.length <= 8 ? '*'.repeat(value.length) : `${value.slice(0, 4)}${'*'.repeat(24)}${value.slice(-4)}`;
}
