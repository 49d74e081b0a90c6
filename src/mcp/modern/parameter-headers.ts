import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import { decodedHeader, encodedHeader } from './header-values.ts';

/** One argument of a tool that HTTP requests repeat in a header, as `x-mcp-header` in the input schema says. */
export interface ParameterHeader {
  /** `mcp-param-<name>`, in lower case. */
  readonly header: string;
  readonly path: readonly string[];
}

const MARK = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);

/**
 * The declared headers of a tool, or why its definition is not usable over HTTP: a mark stands only on a property with
 * a plain type that is reached by `properties` alone, and each name once (2026-07-28, "Schema Extension").
 */
export function parameterHeaders(schema: JsonValue | undefined): readonly ParameterHeader[] | string {
  if (schema === undefined || !JSON.stringify(schema).includes(`"${MARK}"`)) return NONE;
  const found: ParameterHeader[] = [];
  return faultIn(schema, [], found) ?? found;
}

const NONE: readonly ParameterHeader[] = [];

function faultIn(schema: JsonValue, path: readonly string[], found: ParameterHeader[]): string | undefined {
  if (!isObject(schema)) return undefined;
  const fault = MARK in schema ? markFault(schema, path, found) : undefined;
  if (fault !== undefined) return fault;
  for (const [key, inner] of Object.entries(schema)) {
    if (key === 'properties' && isObject(inner)) {
      for (const [name, property] of Object.entries(inner)) {
        const deeper = property === undefined ? undefined : faultIn(property, [...path, name], found);
        if (deeper !== undefined) return deeper;
      }
    } else if (!VALUES.has(key) && holdsMark(inner)) {
      return `${place(path)}: ${MARK} stands under '${key}', where no call can be read`;
    }
  }
  return undefined;
}

/** Members of a schema that hold examples of data, not schemas. */
const VALUES: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples', MARK]);

function holdsMark(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.some(holdsMark);
  if (!isObject(value)) return false;
  return MARK in value || Object.entries(value).some(([key, inner]) => !VALUES.has(key) && holdsMark(inner));
}

function markFault(schema: JsonObject, path: readonly string[], found: ParameterHeader[]): string | undefined {
  const name = schema[MARK];
  if (path.length === 0) return `${MARK} stands on the whole schema`;
  if (typeof name !== 'string' || !TOKEN.test(name)) return `${place(path)}: ${MARK} is no header name`;
  if (!TYPES.has(schema.type)) return `${place(path)}: ${MARK} needs the type string, integer or boolean`;
  const header = `mcp-param-${name.toLowerCase()}`;
  if (found.some((known) => known.header === header)) return `${place(path)}: ${MARK} '${name}' is declared twice`;
  found.push({ header, path });
  return undefined;
}

const place = (path: readonly string[]): string => (path.length === 0 ? 'the schema' : path.join('.'));

/** The headers that a call with these arguments carries. */
export function headersOfArguments(declared: readonly ParameterHeader[], args: JsonObject): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { header, path } of declared) {
    const text = textOf(valueAt(args, path));
    if (text !== undefined) headers[header] = encodedHeader(text);
  }
  return headers;
}

/** Why the headers and the arguments of a call disagree; undefined when they do not. */
export function argumentMismatch(
  declared: readonly ParameterHeader[],
  args: JsonObject,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): string | undefined {
  for (const { header, path } of declared) {
    const value = valueAt(args, path);
    const text = textOf(value);
    const given = headers[header];
    if (text === undefined) {
      // a header for what the body leaves out would be believed by whoever reads headers only
      if (given !== undefined) return `the header ${header} stands for an argument that the body does not hold`;
      continue;
    }
    if (typeof given !== 'string') return `the header ${header} is missing for the argument ${place(path)}`;
    const decoded = decodedHeader(given);
    if (decoded === undefined) return `the header ${header} holds what no header may`;
    if (decoded !== text && !(typeof value === 'number' && decoded !== '' && Number(decoded) === value)) {
      return `the header ${header} says '${decoded}', the body '${text}'`;
    }
  }
  return undefined;
}

function valueAt(args: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args;
  for (const name of path) value = isObject(value) ? ownValue(value, name) : undefined;
  return value;
}

/** `null` and what has no plain text go without a header. */
function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
