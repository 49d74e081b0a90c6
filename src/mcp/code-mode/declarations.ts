import { isObject, type JsonValue, ownValue } from '../../model/json.ts';
import type { BoundServer, BoundTool } from './names.ts';
import { propertyKey, typeText } from './type-text.ts';

const MAX_SUMMARY_LENGTH = 80;

/** What a model reads of a server, or of one tool of it: TypeScript declarations, one line for each tool. */
export function declarationLines(server: BoundServer, tools: readonly BoundTool[]): readonly string[] {
  return [
    `// MCP server "${server.client}". Use it in executeToolCode: const value = await ${callText(server, tools[0])};`,
    '// Each tool takes one object and gives a promise of its result: parsed JSON where it is JSON, else a string.',
    '// A call that fails throws an Error. getToolDocs({ server, tool }) has the whole description of a tool.',
    `declare const ${server.name}: {`,
    ...tools.map((bound) => `  ${signature(bound)};${summaryComment(bound)}`),
    '};',
  ];
}

/** The whole documentation of one tool. */
export function documentationOf(server: BoundServer, bound: BoundTool): string {
  const { tool } = bound;
  const parameters = parameterLines(tool.inputSchema.properties, tool.inputSchema.required);
  const hints = hintsOf(bound);
  return [
    `// ${server.client}: ${tool.upstreamName}`,
    ...(tool.description ? commentLines(tool.description) : ['// (the server gives no description)']),
    ...(hints.length > 0 ? [`// Hints: ${hints.join(', ')}`] : []),
    ...(tool.autoExecute ? [] : ['// A call of this tool must be allowed before it runs: the script waits for that.']),
    '',
    `declare const ${server.name}: {`,
    `  ${signature(bound)};`,
    '};',
    ...(parameters.length > 0 ? ['', '// Parameters:', ...parameters] : []),
    '',
    '// Input schema:',
    ...commentLines(JSON.stringify(tool.inputSchema)),
    '',
    '// Example:',
    `// const value = await ${callText(server, bound)};`,
  ].join('\n');
}

const signature = ({ name, tool }: BoundTool): string => {
  const { properties, required } = tool.inputSchema;
  const isOptional = !Array.isArray(required) || required.length === 0;
  const hasParameters = isObject(properties) && Object.keys(properties).length > 0;
  const input = hasParameters ? typeText(tool.inputSchema) : 'Record<string, any>';
  return `${propertyKey(name)}(input${isOptional ? '?' : ''}: ${input}): Promise<${typeText(tool.definition.outputSchema)}>`;
};

/** The first sentence of the description, or as much as fits. */
function summaryComment({ tool }: BoundTool): string {
  const text = oneLine(tool.description ?? '');
  if (text === '') return '';
  const sentence = /^.*?[.!?](?=\s|$)/.exec(text)?.[0] ?? text;
  const isLong = sentence.length > MAX_SUMMARY_LENGTH;
  return ` // ${isLong ? `${sentence.slice(0, MAX_SUMMARY_LENGTH - 1).trimEnd()}…` : sentence}`;
}

/** A call as a model would write it, with its required parameters. */
function callText(server: BoundServer, bound: BoundTool | undefined): string {
  if (!bound) return `${server.name}.tool({ ... })`;
  const { properties, required } = bound.tool.inputSchema;
  const needed = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
  const members = needed.map((name) => {
    const type = typeText(isObject(properties) ? ownValue(properties, name) : undefined);
    return `${propertyKey(name)}: ${ownValue(SAMPLES, type) ?? '...'}`;
  });
  const isName = propertyKey(bound.name) === bound.name;
  const member = isName ? `.${bound.name}` : `[${JSON.stringify(bound.name)}]`;
  return `${server.name}${member}(${members.length > 0 ? `{ ${members.join(', ')} }` : '{}'})`;
}

const SAMPLES: Readonly<Record<string, string>> = { string: '"..."', number: '1', boolean: 'true' };

function parameterLines(properties: JsonValue | undefined, required: JsonValue | undefined): string[] {
  if (!isObject(properties)) return [];
  const needed = new Set(Array.isArray(required) ? required : []);
  return Object.entries(properties).map(([name, schema]) => {
    const description =
      isObject(schema) && typeof schema.description === 'string' ? `: ${oneLine(schema.description)}` : '';
    return `//   ${name} (${typeText(schema)}, ${needed.has(name) ? 'required' : 'optional'})${description}`;
  });
}

function hintsOf({ tool: { annotations } }: BoundTool): string[] {
  const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = annotations;
  return [
    ...(readOnlyHint ? ['only reads'] : []),
    ...(destructiveHint ? ['may destroy'] : []),
    ...(idempotentHint ? ['may be repeated'] : []),
    ...(openWorldHint ? ['reaches the outside world'] : []),
  ];
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const commentLines = (text: string): string[] => text.split(/\r?\n/).map((line) => `// ${line}`.trimEnd());
