import type { Part, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { parsedInput } from '../call-input.ts';
import { nativeNameOf } from '../native-tools.ts';
import { contentParts } from './content.ts';
import { isHosted } from './native-tools.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

/** A call that the client runs of a tool that OpenAI's models know by heart; undefined for any other item. */
export function nativeCall(item: JsonObject): ToolCallPart | undefined {
  const name = nativeNameOf(item);
  if (name === undefined) return undefined;
  const id = textOf(item.call_id) || textOf(item.id);
  return { type: 'tool-call', id, name, input: JSON.stringify(argumentsOf(item)), origin: originOf(item) };
}

/** Whether an item of an answer is such a call, which waits for the client: what runs in a container of OpenAI's has run there. */
export const isNativeCallToRun = (item: JsonObject): boolean => nativeNameOf(item) !== undefined && !isHosted(item);

/** Always in the same order, so that prompt caches upstream keep hitting. */
function argumentsOf({ type, action, actions, operation }: JsonObject): JsonObject {
  switch (type) {
    case 'apply_patch_call':
      return chosen(objectOf(operation), PATCH);
    case 'computer_call':
      if (Array.isArray(actions)) return { actions: objectsOf(actions).map((each) => chosen(each, MOVE)) };
      return chosen(objectOf(action), MOVE);
    default:
      return chosen(objectOf(action), COMMAND);
  }
}

const PATCH = ['type', 'path', 'diff'] as const;
const MOVE = ['type', 'button', 'x', 'y', 'scroll_x', 'scroll_y', 'path', 'keys', 'text'] as const;
const COMMAND = ['commands', 'command', 'working_directory', 'env', 'user', 'timeout_ms', 'max_output_length'] as const;

function chosen(given: JsonObject, names: readonly string[]): JsonObject {
  const args: JsonObject = {};
  for (const name of names) {
    const value = given[name];
    if (value !== undefined && value !== null) args[name] = value;
  }
  return args;
}

/** `callId`: of older items that name their call by the item's own id. */
export function nativeResult(item: JsonObject, callId: string): ToolResultPart {
  const isError = item.type === 'apply_patch_call_output' && item.status === 'failed';
  return { type: 'tool-result', callId, content: told(item), isError, origin: originOf(item) };
}

function told({ type, output, status }: JsonObject): Part[] {
  switch (type) {
    case 'shell_call_output':
      return contentParts(objectsOf(output).map(commandText).join('\n\n'), {});
    case 'computer_call_output':
      return contentParts([{ ...objectOf(output), type: 'input_image' }], {});
    default:
      return contentParts(textOf(output) || textOf(status), {});
  }
}

/** What a command wrote, and how it ended. */
function commandText({ stdout, stderr, outcome }: JsonObject): string {
  const { type, exit_code: code } = objectOf(outcome);
  const errors = textOf(stderr) === '' ? [] : [`stderr:\n${textOf(stderr)}`];
  const end = type === 'timeout' ? 'timed out' : `exit code: ${String(code ?? 0)}`;
  return [textOf(stdout), ...errors, end].filter((text) => text !== '').join('\n');
}

/** A call that a model of another format made, as an item that the client knows how to run. */
export function nativeItem({ id, name, input }: ToolCallPart): JsonObject {
  const args = parsedInput(input) ?? {};
  const head = { type: `${name}_call`, call_id: id };
  if (name === 'apply_patch') return { ...head, operation: operationOf(args) };
  if (name === 'local_shell') {
    const { env, working_directory: folder, timeout_ms: timeout, user } = args;
    const more = { env: objectOf(env), working_directory: folder, timeout_ms: timeout, user };
    return { ...head, action: { type: 'exec', command: commandsIn(args), ...more } };
  }
  const { timeout_ms: timeout = null, max_output_length: longest = null } = args;
  const action = { commands: commandsIn(args), timeout_ms: timeout, max_output_length: longest };
  return { ...head, action, environment: { type: 'local' } };
}

const OPERATIONS: ReadonlySet<JsonValue | undefined> = new Set(['create_file', 'update_file', 'delete_file']);

function operationOf({ type, path, diff }: JsonObject): JsonObject {
  const known = OPERATIONS.has(type) ? type : 'update_file';
  return { type: known, path: textOf(path), ...(known !== 'delete_file' && { diff: textOf(diff) }) };
}

/** Models write one command as a text; nothing runs where there is none. */
function commandsIn({ commands, command }: JsonObject): JsonValue[] {
  const given = commands ?? command;
  if (typeof given === 'string') return [given];
  return Array.isArray(given) ? given.filter((each) => typeof each === 'string') : [];
}

/** The result of such a call where it is not the client's own item: of a call that was interrupted, or run by others. */
export function writtenNativeResult(call: JsonObject, text: string, failed: boolean): JsonObject | undefined {
  const head = { type: `${textOf(call.type)}_output`, call_id: call.call_id ?? call.id };
  switch (call.type) {
    case 'shell_call': {
      const outcome = { type: 'exit', exit_code: failed ? 1 : 0 };
      return { ...head, output: [{ stdout: failed ? '' : text, stderr: failed ? text : '', outcome }] };
    }
    case 'apply_patch_call':
      return { ...head, status: failed ? 'failed' : 'completed', output: text };
    case 'local_shell_call':
      return { ...head, output: text };
    default:
      // a computer's result is a picture of its screen
      return undefined;
  }
}
