import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import type { Body, Parameter } from './operations.ts';
import type { Secured } from './security.ts';
import type { OperationTool } from './tools.ts';

export interface ApiRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** An argument that is missing or cannot stand where it belongs; the model can mend it. */
export class ArgumentFault extends Error {}

/** The HTTP request of one call. Throws ArgumentFault. */
export function requestOf(tool: OperationTool, args: JsonObject, base: string, secured: Secured): ApiRequest {
  const { operation } = tool;
  const values = valuesOf(tool, args);
  const url = new URL(`${base.replace(/\/+$/, '')}${pathWith(operation.path, values)}`);
  const query = values.filter(({ parameter }) => parameter.in === 'query').flatMap(pairsOf);
  for (const [name, value] of [...query, ...Object.entries(secured.query)]) url.searchParams.append(name, value);
  const headers: Record<string, string> = { accept: 'application/json, text/*;q=0.9, */*;q=0.8' };
  for (const { parameter, value } of values) {
    if (parameter.in === 'header') headers[parameter.name.toLowerCase()] = headerValue(parameter, value);
  }
  const cookies = [
    ...values.filter(({ parameter }) => parameter.in === 'cookie').flatMap(pairsOf),
    ...Object.entries(secured.cookies),
  ];
  if (cookies.length > 0)
    headers.cookie = cookies.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('; ');
  for (const [name, value] of Object.entries(secured.headers)) headers[name.toLowerCase()] = value;
  const body = bodyText(tool, args);
  if (body !== undefined && operation.body) headers['content-type'] = operation.body.contentType;
  return { url, method: operation.method, headers, ...(body !== undefined && { body }) };
}

interface Given {
  readonly parameter: Parameter;
  readonly value: JsonValue;
}

function valuesOf({ operation, argumentNames }: OperationTool, args: JsonObject): Given[] {
  return operation.parameters.flatMap((parameter, index) => {
    const name = argumentNames[index] ?? parameter.name;
    const value = ownValue(args, name);
    if (value !== undefined && (value !== null || !parameter.required))
      return value === null ? [] : [{ parameter, value }];
    if (parameter.required) throw new ArgumentFault(`the argument '${name}' is missing`);
    return [];
  });
}

function pathWith(path: string, values: readonly Given[]): string {
  return path.replace(/\{([^{}]+)\}/g, (_, name: string) => {
    const given = values.find(({ parameter }) => parameter.in === 'path' && parameter.name === name);
    if (!given) throw new ArgumentFault(`the argument '${name}' is missing`);
    const text = pathValue(given);
    // A segment of dots, or none, would lead to another operation.
    if (/^\.{0,2}$/.test(text)) throw new ArgumentFault(`'${text}' cannot stand in the path as '${name}'`);
    return text;
  });
}

function pathValue({ parameter, value }: Given): string {
  const { name, style, explode, isJson } = parameter;
  if (isJson) return encodeURIComponent(JSON.stringify(value));
  const values = parts(value, explode, encodeURIComponent);
  const separated = explode && typeof value === 'object';
  if (style === 'label') return `.${values.join(separated ? '.' : ',')}`;
  if (style !== 'matrix') return values.join(',');
  if (!separated) return `;${name}=${values.join(',')}`;
  // an exploded object names its members, an exploded list the parameter
  return values.map((each) => (Array.isArray(value) ? `;${name}=${each}` : `;${each}`)).join('');
}

/** Lists and objects as texts: `a,b`, `key,value`, and exploded `key=value` (RFC 6570, which OpenAPI's styles follow). */
function parts(value: JsonValue, explode: boolean, written: (text: string) => string): string[] {
  const textOf = (each: JsonValue | undefined): string => written(plain(each));
  if (Array.isArray(value)) return value.map(textOf);
  if (!isObject(value)) return [textOf(value)];
  return Object.entries(value).flatMap(([key, entry]) =>
    explode ? [`${written(key)}=${textOf(entry)}`] : [written(key), textOf(entry)],
  );
}

const headerValue = ({ explode, isJson }: Parameter, value: JsonValue): string => {
  const text = isJson ? JSON.stringify(value) : parts(value, explode, String).join(',');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a header holds none of them
  if (/[\x00-\x1f\x7f]/.test(text)) throw new ArgumentFault('a header cannot hold line breaks or control characters');
  return text;
};

const SEPARATORS: Readonly<Record<string, string>> = { spaceDelimited: ' ', pipeDelimited: '|' };

function pairsOf({ parameter, value }: Given): [name: string, value: string][] {
  const { name, style, explode, isJson } = parameter;
  if (isJson) return [[name, JSON.stringify(value)]];
  if (Array.isArray(value)) {
    if (explode) return value.map((entry) => [name, plain(entry)]);
    return [[name, value.map(plain).join(ownValue(SEPARATORS, style) ?? ',')]];
  }
  if (!isObject(value)) return [[name, plain(value)]];
  const entries = Object.entries(value).map(([key, entry]): [string, string] => [key, plain(entry)]);
  if (style === 'deepObject') return entries.map(([key, entry]) => [`${name}[${key}]`, entry]);
  return explode ? entries : [[name, entries.flat().join(',')]];
}

const plain = (value: JsonValue | undefined): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value ?? '');

function bodyText({ operation: { body }, bodyName }: OperationTool, args: JsonObject): string | undefined {
  if (!body || bodyName === undefined) return undefined;
  const value = ownValue(args, bodyName);
  if (value !== undefined) return written(body, value);
  if (body.required) throw new ArgumentFault(`the argument '${bodyName}' is missing`);
  return undefined;
}

function written({ encoding }: Body, value: JsonValue): string {
  if (encoding === 'json') return JSON.stringify(value);
  if (encoding === 'text' || !isObject(value)) return plain(value);
  const form = new URLSearchParams();
  for (const [name, entry] of Object.entries(value)) {
    for (const each of Array.isArray(entry) ? entry : [entry]) form.append(name, plain(each));
  }
  return form.toString();
}
