import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { dereferenced, UnresolvedReference } from './references.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'] as const;
const PLACES = ['path', 'query', 'header', 'cookie'] as const;

/** Header parameters of these names are said elsewhere (OpenAPI 3, parameter object), or are this hop's alone. */
const IGNORED_HEADERS: ReadonlySet<string> = new Set([
  ...['accept', 'content-type', 'authorization', 'cookie', 'host', 'content-length', 'connection', 'transfer-encoding'],
]);

export interface Parameter {
  readonly name: string;
  readonly in: (typeof PLACES)[number];
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonValue | undefined;
  readonly style: string;
  readonly explode: boolean;
  /** Its value is written as JSON. */
  readonly isJson: boolean;
}

export interface Body {
  readonly contentType: string;
  readonly encoding: 'json' | 'form' | 'text';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonValue | undefined;
}

/** One operation of a document, its references followed as far as its own shape goes. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly deprecated: boolean;
  readonly parameters: readonly Parameter[];
  readonly body?: Body;
  readonly servers: JsonValue | undefined;
  readonly security: JsonValue | undefined;
}

/** An operation that no tool can stand for. */
export interface Unsupported {
  readonly method: string;
  readonly path: string;
  readonly operation_id?: string;
  readonly reason: string;
}

export interface Operations {
  readonly operations: readonly Operation[];
  readonly unsupported: readonly Unsupported[];
}

/** Every operation of the document, in the order of the document. */
export function operationsOf(document: JsonObject): Operations {
  const operations: Operation[] = [];
  const unsupported: Unsupported[] = [];
  for (const [path, item] of Object.entries(isObject(document.paths) ? document.paths : {})) {
    for (const [method, given, shared] of operationsAt(document, item)) {
      const operationId = textOf(given.operationId);
      try {
        operations.push(operationOf(document, { method, path, given, shared }));
      } catch (thrown) {
        if (!(thrown instanceof UnresolvedReference || thrown instanceof Unusable)) throw thrown;
        const named = operationId !== undefined && { operation_id: operationId };
        unsupported.push({ method: method.toUpperCase(), path, ...named, reason: thrown.message });
      }
    }
  }
  return { operations, unsupported };
}

class Unusable extends Error {}

type Given = readonly [method: string, operation: JsonObject, shared: JsonObject];

function operationsAt(document: JsonObject, item: JsonValue | undefined): Given[] {
  let shared: JsonObject;
  try {
    shared = dereferenced(document, item);
  } catch {
    return [];
  }
  return METHODS.flatMap((method): Given[] => {
    const given = shared[method];
    return isObject(given) ? [[method, given, shared]] : [];
  });
}

interface Found {
  readonly method: string;
  readonly path: string;
  readonly given: JsonObject;
  readonly shared: JsonObject;
}

function operationOf(document: JsonObject, { method, path, given, shared }: Found): Operation {
  if (!path.startsWith('/')) throw new Unusable('its path does not begin with a slash');
  // no fetch sends it (Fetch standard, forbidden methods)
  if (method === 'trace') throw new Unusable('the method TRACE cannot be sent');
  const parameters = parametersOf(document, shared.parameters, given.parameters);
  const body = given.requestBody === undefined ? undefined : bodyOf(dereferenced(document, given.requestBody));
  return {
    method: method.toUpperCase(),
    path,
    ...defined('operationId', textOf(given.operationId)),
    ...defined('summary', textOf(given.summary) ?? textOf(shared.summary)),
    ...defined('description', textOf(given.description) ?? textOf(shared.description)),
    deprecated: given.deprecated === true,
    parameters: withPathParameters(path, parameters),
    ...(body && { body }),
    servers: given.servers ?? shared.servers ?? document.servers,
    security: given.security ?? document.security,
  };
}

/** An operation's own parameter stands for the path's of the same name and place. */
function parametersOf(document: JsonObject, ...lists: readonly (JsonValue | undefined)[]): Parameter[] {
  const found = new Map<string, Parameter>();
  for (const entry of lists.flatMap((list) => (Array.isArray(list) ? list : []))) {
    const parameter = parameterOf(dereferenced(document, entry));
    if (parameter) found.set(`${parameter.in} ${parameter.name}`, parameter);
  }
  return [...found.values()];
}

function parameterOf(given: JsonObject): Parameter | undefined {
  const { name, content } = given;
  const place = PLACES.find((each) => each === given.in);
  if (typeof name !== 'string' || !place) return undefined;
  if (place === 'header' && IGNORED_HEADERS.has(name.toLowerCase())) return undefined;
  const [media] = isObject(content) ? Object.entries(content) : [];
  const style = textOf(given.style) ?? (place === 'query' || place === 'cookie' ? 'form' : 'simple');
  return {
    name,
    in: place,
    required: place === 'path' || given.required === true,
    ...defined('description', textOf(given.description)),
    schema: media ? (isObject(media[1]) ? media[1].schema : undefined) : given.schema,
    style,
    explode: typeof given.explode === 'boolean' ? given.explode : style === 'form',
    isJson: media !== undefined && /json/i.test(media[0]),
  };
}

/** What the path names and nobody describes is text. */
function withPathParameters(path: string, parameters: readonly Parameter[]): Parameter[] {
  const described = new Set(parameters.flatMap((each) => (each.in === 'path' ? each.name : [])));
  const named = [...path.matchAll(/\{([^{}]+)\}/g)].flatMap(([, name]) => name ?? []);
  const missing = [...new Set(named)].filter((name) => !described.has(name));
  return [
    ...missing.map((name) => ({ ...TEXT_IN_PATH, name })),
    ...parameters.filter((each) => each.in !== 'path' || named.includes(each.name)),
  ];
}

const TEXT_IN_PATH = {
  in: 'path',
  required: true,
  schema: { type: 'string' },
  style: 'simple',
  explode: false,
  isJson: false,
} as const;

function bodyOf(given: JsonObject): Body | undefined {
  const offered = Object.entries(isObject(given.content) ? given.content : {});
  if (offered.length === 0) return undefined;
  for (const [encoding, pattern] of ENCODINGS) {
    const found = offered.find(([type]) => pattern.test(type));
    if (!found) continue;
    const [contentType, media] = found;
    return {
      contentType: contentType.includes('*') ? 'application/json' : contentType,
      encoding,
      required: given.required === true,
      ...defined('description', textOf(given.description)),
      schema: isObject(media) ? media.schema : undefined,
    };
  }
  throw new Unusable(`a body of type ${offered.map(([type]) => type).join(' or ')} cannot be given as arguments`);
}

/** In the order in which we like them. */
const ENCODINGS: readonly (readonly [Body['encoding'], RegExp])[] = [
  ['json', /^application\/(?:[\w.+-]*\+)?json\b|^\*\/\*$|^application\/\*$/i],
  ['form', /^application\/x-www-form-urlencoded\b/i],
  ['text', /^text\/|^application\/(?:[\w.+-]*\+)?xml\b/i],
];

const textOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

const defined = <Key extends string>(key: Key, value: string | undefined): { [Each in Key]?: string } =>
  value === undefined ? {} : ({ [key]: value } as { [Each in Key]?: string });
