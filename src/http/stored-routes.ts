import type { StoredKind } from '../model/operation.ts';

/** An operation on something that a provider keeps. */
export interface StoredRoute {
  readonly operation: StoredKind;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the provider's base URL, without the query. */
  readonly path: string;
  /** The path without ids, for counters. */
  readonly label: string;
  readonly responseId?: string;
}

type Line = readonly [method: StoredRoute['method'], pattern: string, operation: StoredKind];

/** OpenAI API reference: responses, files, batches. `*` is an id. */
const LINES: readonly Line[] = [
  ['GET', '/responses/*', 'responses_retrieve'],
  ['DELETE', '/responses/*', 'responses_delete'],
  ['POST', '/responses/*/cancel', 'responses_cancel'],
  ['GET', '/responses/*/input_items', 'responses_input_items'],
  ['POST', '/files', 'file_upload'],
  ['GET', '/files', 'file_list'],
  ['GET', '/files/*', 'file_retrieve'],
  ['DELETE', '/files/*', 'file_delete'],
  ['GET', '/files/*/content', 'file_content'],
  ['POST', '/batches', 'batch_create'],
  ['GET', '/batches', 'batch_list'],
  ['GET', '/batches/*', 'batch_retrieve'],
  ['POST', '/batches/*/cancel', 'batch_cancel'],
];

const OPERATIONS: ReadonlyMap<string, StoredKind> = new Map(
  LINES.map(([method, pattern, operation]) => [`${method} ${pattern}`, operation]),
);

/** `input_tokens` and `compact` are no ids: OpenAI's own verbs stand there. */
const STORED_PATH =
  /^\/(?:v1|openai\/v1|openai)(?!\/responses\/(?:input_tokens|compact)$)(\/(responses|files|batches)(?:\/([\w.-]+))?(\/[a-z_]+)?)$/;

/** What a path below an OpenAI base URL asks of a provider's store; undefined where it asks nothing of the kind. */
export function storedRoute(method: string, path: string): StoredRoute | undefined {
  const [, rest = '', things = '', id, action = ''] = STORED_PATH.exec(path) ?? [];
  if (rest === '' || (id === undefined && action !== '')) return undefined;
  const pattern = `/${things}${id === undefined ? '' : '/*'}${action}`;
  const operation = OPERATIONS.get(`${method} ${pattern}`);
  if (!operation || (method !== 'GET' && method !== 'POST' && method !== 'DELETE')) return undefined;
  const label = `/v1${pattern.replace('*', '{id}')}`;
  return {
    operation,
    method,
    path: rest,
    label,
    ...(things === 'responses' && id !== undefined && { responseId: id }),
  };
}

export const storedPaths = (): string[] =>
  LINES.map(([method, pattern]) => `${method} /v1${pattern.replace('*', '{id}')}`);
