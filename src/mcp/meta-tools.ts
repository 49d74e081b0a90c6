import type { JsonObject } from '../model/json.ts';
import type { BindingLevel } from './code-mode/files.ts';
import type { CatalogTool } from './contract.ts';
import { gatewayTool } from './gateway-tool.ts';

/** Tools that stand for the tools of others. They belong to no client, so their names have no prefix. */
export type MetaToolName =
  | 'listToolFiles'
  | 'readToolFile'
  | 'getToolDocs'
  | 'executeToolCode'
  | 'searchTools'
  | 'getToolDetails'
  | 'executeTool';

export const CODE_TOOLS: readonly MetaToolName[] = ['listToolFiles', 'readToolFile', 'getToolDocs', 'executeToolCode'];
export const SEARCH_TOOLS: readonly MetaToolName[] = ['searchTools', 'getToolDetails', 'executeTool'];

export const isMetaTool = (name: string): name is MetaToolName => Object.hasOwn(DEFINITIONS, name);

/** The definition of a meta tool as models and MCP callers get it. */
export function metaTool(name: MetaToolName, level: BindingLevel): CatalogTool {
  const { text, properties, required, readOnly } = DEFINITIONS[name];
  const description = typeof text === 'string' ? text : text[level];
  const inputSchema: JsonObject = { type: 'object', properties, required: [...required], additionalProperties: false };
  const annotations = readOnly ? { readOnlyHint: true } : {};
  return gatewayTool(name, description, inputSchema, annotations);
}

interface Definition {
  readonly text: string | Readonly<Record<BindingLevel, string>>;
  readonly properties: JsonObject;
  readonly required: readonly string[];
  readonly readOnly: boolean;
}

const string = (description: string): JsonObject => ({ type: 'string', description });
const integer = (description: string): JsonObject => ({ type: 'integer', minimum: 1, description });

const FIRST_STEPS =
  'Use it first: listToolFiles, then readToolFile for the servers that matter, then executeToolCode once for the whole task.';

const DEFINITIONS: Readonly<Record<MetaToolName, Definition>> = {
  listToolFiles: {
    text: {
      server: `Lists the virtual files that declare the tools of the connected MCP servers, one file for each server. ${FIRST_STEPS}`,
      tool: `Lists the virtual files that declare the tools of the connected MCP servers, one file for each tool. ${FIRST_STEPS}`,
    },
    properties: {},
    required: [],
    readOnly: true,
  },
  readToolFile: {
    text: {
      server:
        'Reads a virtual file: TypeScript declarations of all tools of one MCP server, one line for each. ' +
        'The first line says how many lines there are; long files can be read in parts.',
      tool:
        'Reads a virtual file: the TypeScript declaration of one tool of an MCP server. ' +
        'The name of a server alone gives all of its tools.',
    },
    properties: {
      fileName: string('As listToolFiles gives it, for example "servers/github.d.ts".'),
      startLine: integer('First line to read, from 1.'),
      endLine: integer('Last line to read.'),
    },
    required: ['fileName'],
    readOnly: true,
  },
  getToolDocs: {
    text: 'Gives the whole documentation of one tool: description, parameters, schema and an example. Use it when the declaration is not enough.',
    properties: {
      server: string('Name of the server, as in its file name.'),
      tool: string('Name of the tool, as in the declarations.'),
    },
    required: ['server', 'tool'],
    readOnly: true,
  },
  executeToolCode: {
    text:
      'Runs JavaScript or TypeScript that calls tools of the connected MCP servers. Each server is a global object and ' +
      'each of its tools an async function that takes one object: `const issues = await github.list_issues({ owner: "a" });`. ' +
      'Calls give parsed JSON, or a string; a call that fails throws. Do loops, filters and sums in the code, run ' +
      'independent calls with Promise.all, and return only what you need: `return value;` (or set `result`). ' +
      'console.log and print are shown too. Top-level await works. There are no imports, network, files or timers, and ' +
      'nothing is kept from one run to the next. Read the declarations first; never guess the names of tools.',
    properties: { code: string('The code to run.') },
    required: ['code'],
    readOnly: false,
  },
  searchTools: {
    text:
      'Finds tools of the connected MCP servers by what they do. They are not shown otherwise: search before you say ' +
      'that something cannot be done. Then read one with getToolDetails and run it with executeTool.',
    properties: {
      query: string('What the tool should do, in a few words.'),
      server: string('Only tools of this server.'),
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: 30,
        description: 'How many tools to find at most; 10 if not given.',
      },
    },
    required: ['query'],
    readOnly: true,
  },
  getToolDetails: {
    text: 'Gives the description and the input schema of one tool. Use it before you call a tool whose arguments you do not know.',
    properties: { tool: string('The whole name of the tool, as given by searchTools or in the list of tools.') },
    required: ['tool'],
    readOnly: true,
  },
  executeTool: {
    text: 'Runs one tool that searchTools found. Its arguments must fit the input schema that getToolDetails gives.',
    properties: {
      tool: string('The whole name of the tool, as given by searchTools.'),
      arguments: { type: 'object', description: 'The arguments of the tool.', additionalProperties: true },
    },
    required: ['tool'],
    readOnly: false,
  },
};
