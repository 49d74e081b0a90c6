import { GatewayError } from '../../model/errors.ts';
import { type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import { type Operation, operationsOf, type Unsupported } from './operations.ts';
import { UnresolvedReference } from './references.ts';
import { toolSchemas } from './schemas.ts';

const MAX_TOOLS = 1_000;
const MAX_NAME = 64;
const MAX_DESCRIPTION = 4_000;
/** Of JSON, about: what one tool may say of the schemas that it shares, what all may say, and all tools together. */
const [MAX_DEFINITIONS, MAX_ALL_DEFINITIONS, MAX_ALL] = [64 * 1024, 16 * 1024 * 1024, 32 * 1024 * 1024];

/** An operation as a tool: what is listed of it, and where each argument goes. */
export interface OperationTool {
  readonly name: string;
  readonly operation: Operation;
  readonly definition: JsonObject;
  /** Argument name of each parameter, in the order of the parameters. */
  readonly argumentNames: readonly string[];
  /** Argument name of the body. */
  readonly bodyName?: string;
}

export interface DocumentTools {
  readonly tools: readonly OperationTool[];
  readonly unsupported: readonly Unsupported[];
}

export interface ToolOptions {
  readonly includeDeprecated: boolean;
  /** The MCP client: its name stands before each tool's, and model APIs take 64 characters together. */
  readonly clientName: string;
}

/** The operations of a document as tools. Throws GatewayError for more than a thousand, or for too much text. */
export function toolsOfDocument(document: JsonObject, { includeDeprecated, clientName }: ToolOptions): DocumentTools {
  const found = operationsOf(document);
  const operations = found.operations.filter(({ deprecated }) => includeDeprecated || !deprecated);
  if (operations.length > MAX_TOOLS) {
    const message = `the document has ${operations.length} operations, and at most ${MAX_TOOLS} can be tools`;
    throw new GatewayError('invalid-request', message);
  }
  const maxName = Math.max(16, MAX_NAME - clientName.length - 1);
  const maxDefinitions = Math.min(MAX_DEFINITIONS, MAX_ALL_DEFINITIONS / operations.length);
  const names = new Set<string>();
  let length = 0;
  const tools: OperationTool[] = [];
  const unsupported = [...found.unsupported];
  for (const operation of operations) {
    try {
      const tool = toolOf(document, operation, freeName(nameOf(operation), names, maxName), maxDefinitions);
      tools.push(tool);
      length += JSON.stringify(tool.definition).length;
    } catch (thrown) {
      if (!(thrown instanceof UnresolvedReference)) throw thrown;
      const { method, path, operationId } = operation;
      unsupported.push({ method, path, ...(operationId && { operation_id: operationId }), reason: thrown.message });
    }
    if (length > MAX_ALL) {
      throw new GatewayError(
        'too-large',
        `the tools of the document would take more than ${MAX_ALL / 1024 / 1024} MiB`,
      );
    }
  }
  return { tools, unsupported };
}

const nameOf = ({ operationId, method, path }: Operation): string =>
  sanitised(operationId ?? '') || sanitised(`${method.toLowerCase()}_${path.replace(/[{}]/g, '')}`);

/** More of a name is never shown. */
const LONGEST_READ = 1_000;

const sanitised = (text: string): string =>
  text
    .slice(0, LONGEST_READ)
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/_{2,}/g, '_')
    .replace(/^[_-]+|[_-]+$/g, '');

/** Cut where it is too long, numbered where another operation has it. */
function freeName(name: string, taken: Set<string>, maxLength: number): string {
  let free = name.slice(0, maxLength);
  for (let number = 2; taken.has(free.toLowerCase()); number += 1) {
    free = `${name.slice(0, maxLength - `_${number}`.length)}_${number}`;
  }
  taken.add(free.toLowerCase());
  return free;
}

function toolOf(document: JsonObject, operation: Operation, name: string, maxDefinitions: number): OperationTool {
  const { parameters, body, summary } = operation;
  const argumentNames = namesOfArguments(operation);
  const bodyName = body && freeArgument('body', argumentNames);
  const schemas = toolSchemas(document, [...parameters.map(({ schema }) => schema), body?.schema], maxDefinitions);
  const properties: JsonObject = {};
  const required: string[] = [];
  parameters.forEach((parameter, index) => {
    const argument = argumentNames[index] ?? parameter.name;
    properties[argument] = described(schemas.of(parameter.schema), parameter.description);
    if (parameter.required) required.push(argument);
  });
  if (body && bodyName) {
    properties[bodyName] = described(schemas.of(body.schema), body.description);
    if (body.required) required.push(bodyName);
  }
  const { definitions } = schemas;
  const inputSchema: JsonObject = {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    ...(definitions && { $defs: definitions }),
  };
  const description = descriptionOf(operation);
  const definition: JsonObject = {
    name,
    ...(summary !== undefined && { title: summary }),
    description,
    inputSchema,
    // No output schema: clients refuse every answer that is not just as the document promised, and many are not.
    annotations: annotationsOf(operation),
  };
  return { name, operation, definition, argumentNames, ...(bodyName !== undefined && { bodyName }) };
}

/** Parameters of one name in two places get the place's name behind theirs. */
function namesOfArguments({ parameters }: Operation): string[] {
  const taken: string[] = [];
  for (const { name, in: place } of parameters) {
    taken.push(taken.includes(name) ? freeArgument(`${name}_${place}`, taken) : name);
  }
  return taken;
}

function freeArgument(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  return freeArgument(name === 'body' ? 'request_body' : `${name}_`, taken);
}

const described = (schema: JsonObject, description: string | undefined): JsonObject =>
  description === undefined || schema.description !== undefined ? schema : { ...schema, description };

function descriptionOf({ summary, description, deprecated, method, path }: Operation): string {
  const told = [deprecated && 'Deprecated.', summary, description !== summary && description];
  const text = told.filter((part) => typeof part === 'string').join('\n\n');
  return (text || `${method} ${path}`).slice(0, MAX_DESCRIPTION);
}

/** What HTTP promises of its methods (RFC 9110, section 9.2). */
const ANNOTATIONS: Readonly<Record<string, readonly [readOnly: boolean, destructive: boolean, idempotent: boolean]>> = {
  GET: [true, false, true],
  HEAD: [true, false, true],
  OPTIONS: [true, false, true],
  TRACE: [true, false, true],
  POST: [false, false, false],
  PUT: [false, true, true],
  PATCH: [false, true, false],
  DELETE: [false, true, true],
};

function annotationsOf({ method, summary }: Operation): JsonObject {
  const [readOnlyHint, destructiveHint, idempotentHint] = ownValue(ANNOTATIONS, method) ?? [false, true, false];
  const title: JsonValue | undefined = summary;
  return { ...(title !== undefined && { title }), readOnlyHint, destructiveHint, idempotentHint, openWorldHint: true };
}
