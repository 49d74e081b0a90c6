import type { FunctionTool } from '../../model/content.ts';
import { type JsonObject, ownValue } from '../../model/json.ts';
import { OFFERED_BY_TYPE } from '../native-tools.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

/**
 * A tool that the client runs and OpenAI's models know by its type (shell, patches), as a function for all others.
 * Undefined for tools that the vendor runs, and where a function of the same name is offered.
 */
export function nativeTool(tool: JsonObject, offered: readonly JsonObject[]): FunctionTool | undefined {
  const name = textOf(tool.type);
  if (!OFFERED_BY_TYPE.has(name) || isHosted(tool) || offered.some((other) => other.name === name)) return undefined;
  const told = ownValue(TOLD, name);
  return told && { type: 'function', name, ...told, owner: 'client', origin: originOf(tool) };
}

/** A shell in a container of OpenAI's, which runs commands by itself. */
export const isHosted = ({ environment }: JsonObject): boolean =>
  textOf(objectOf(environment).type).startsWith('container');

/** Whether a request offers such a tool, so that its client reads calls of it from items of its own kind. */
export const offersNative = (body: JsonObject | undefined, name: string): boolean => {
  if (!OFFERED_BY_TYPE.has(name)) return false;
  const tools = objectsOf(body?.tools);
  return tools.some((tool) => tool.type === name && nativeTool(tool, tools) !== undefined);
};

const text = (description: string): JsonObject => ({ type: 'string', description });
const whole = (description: string): JsonObject => ({ type: 'integer', description });
const texts = (description: string): JsonObject => ({ type: 'array', items: { type: 'string' }, description });
const object = (properties: JsonObject, ...required: readonly string[]): JsonObject => ({
  type: 'object',
  properties,
  required: [...required],
});

const TIMEOUT = whole('Milliseconds after which a command is ended.');

/** OpenAI's guides to each tool. */
const TOLD: Readonly<Record<string, Pick<FunctionTool, 'description' | 'inputSchema'>>> = {
  shell: {
    description:
      "Runs commands in a shell on the user's machine, one after another, and gives what each wrote and how it ended.",
    inputSchema: object(
      {
        commands: texts('The commands to run, each as it would be typed.'),
        timeout_ms: TIMEOUT,
        max_output_length: whole('The most characters to show of what was written.'),
      },
      'commands',
    ),
  },
  local_shell: {
    description: "Runs a command on the user's machine and gives what it wrote.",
    inputSchema: object(
      {
        command: texts('The program and its arguments, one text each: ["bash", "-lc", "ls"].'),
        working_directory: text('Where to run it.'),
        timeout_ms: TIMEOUT,
        env: { type: 'object', additionalProperties: { type: 'string' }, description: 'Environment variables.' },
        user: text('As whom to run it.'),
      },
      'command',
    ),
  },
  apply_patch: {
    description:
      'Creates, changes or deletes one file. The diff of update_file has sections that begin with a line of `@@`, ' +
      'behind it, if need be, the class or function to look in; then lines of the file: those that stay begin with a ' +
      'space, those to take out with `-`, those to put in with `+`. Show three lines around each change. In the diff ' +
      'of create_file every line begins with `+`.',
    inputSchema: object(
      {
        type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] },
        path: text('The path of the file.'),
        diff: text('With create_file and update_file: the diff.'),
      },
      'type',
      'path',
    ),
  },
};
