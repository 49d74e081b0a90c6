import { redacted, type Secret } from '../../config/secrets.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** Fields that hold secrets in parts of the config that no schema describes. */
const SECRET_NAME =
  /(?:^|[_-])(?:value|key|secret|token|password|passwd|passphrase|credentials?|authorization|cookie|pem|dsn)$/i;

/** What people choose themselves is short: its ends would be half of it. */
const CHOSEN_BY_PEOPLE = /^encryption_key$|(?:^|[_-])(?:password|passwd|passphrase)$/i;
const HIDDEN = '*'.repeat(24);

const SECRET_FIELDS: ReadonlySet<string> = new Set(['value', 'ref', 'unset']);

/** Config as it may be shown: secrets redacted wherever they stand, references to the environment as they are. */
function shown(value: unknown, name = ''): JsonValue {
  if (typeof value === 'string') return SECRET_NAME.test(name) ? shownText(value, name) : value;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return shownList(value, name);
  if (!isObject(value)) return null;
  if (isSecret(value)) return shownSecret(value, name);
  return shownObject(value);
}

export const shownObject = (value: object): JsonObject =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, shown(member, key)]),
  );

const shownText = (text: string, name = ''): string =>
  text.startsWith('env.') ? text : shownSecret({ value: text }, name);

const shownSecret = (secret: Secret, name: string): string =>
  !secret.ref && secret.value !== '' && CHOSEN_BY_PEOPLE.test(name) ? HIDDEN : redacted(secret);

function shownList(values: readonly unknown[], name: string): JsonValue[] {
  if (name === 'envs') return values.map((entry) => shownAssignment(String(entry)));
  if (name === 'args') return shownArguments(values.map(String));
  return values.map((entry) => shown(entry, name));
}

/** `NAME` names a variable and is shown; `NAME=value` sets one. */
function shownAssignment(entry: string): string {
  const equals = entry.indexOf('=');
  return equals < 0 ? entry : `${entry.slice(0, equals + 1)}${shownText(entry.slice(equals + 1))}`;
}

/** Servers are often given their keys on the command line: `--api-key=x` or `--token x`. */
const shownArguments = (args: readonly string[]): string[] =>
  args.map((argument, index) => {
    const option = /^--?([\w-]+)=/.exec(argument)?.[1];
    if (option) return SECRET_NAME.test(option) ? shownAssignment(argument) : argument;
    const before = /^--?([\w-]+)$/.exec(args[index - 1] ?? '')?.[1];
    return before && SECRET_NAME.test(before) && !argument.startsWith('-') ? shownText(argument) : argument;
  });

const isSecret = (value: JsonObject): value is JsonObject & Secret =>
  typeof value.value === 'string' && Object.keys(value).every((key) => SECRET_FIELDS.has(key));
