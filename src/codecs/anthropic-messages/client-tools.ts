import { type JsonObject, ownValue } from '../../model/json.ts';
import { textOf } from './wire.ts';

/** What a model of another vendor must be told of a tool whose schema Anthropic's models know by heart. */
export interface ClientTool {
  readonly description: string;
  readonly inputSchema: JsonObject;
}

/**
 * A typed tool that the client runs (bash, text editor, computer, memory) with its documented input; undefined for
 * custom tools and for those that the vendor runs. Told by type, never by name.
 */
export function clientToolOf(tool: JsonObject): ClientTool | undefined {
  const [, kind] = /^(bash|text_editor|computer|memory)_\d{8}$/.exec(textOf(tool.type)) ?? [];
  return kind === undefined ? undefined : ownValue(CLIENT_TOOLS, kind)?.(tool);
}

const text = (description: string): JsonObject => ({ type: 'string', description });
const whole = (description: string): JsonObject => ({ type: 'integer', description });
const pair = (description: string): JsonObject => ({ type: 'array', items: { type: 'integer' }, description });
const command = (...words: readonly string[]): JsonObject => ({ type: 'string', enum: [...words] });
const object = (properties: JsonObject, ...required: readonly string[]): JsonObject => ({
  type: 'object',
  properties,
  required: [...required],
});

/** Anthropic's documentation of each tool; versions differ in commands, which the client refuses by itself. */
const CLIENT_TOOLS: Readonly<Record<string, (tool: JsonObject) => ClientTool>> = {
  bash: () => ({
    description: 'Runs a command in a bash session that keeps its state from call to call.',
    inputSchema: object({
      command: text('The command to run; not needed with restart.'),
      restart: { type: 'boolean', description: 'Starts the session anew.' },
    }),
  }),
  text_editor: ({ max_characters: max }) => ({
    description:
      'Views, creates and edits text files: view (a file, or the names in a folder), create (file_text), ' +
      'str_replace (old_str, which must occur once, by new_str), insert (after insert_line).' +
      (typeof max === 'number' ? ` A view shows at most ${max} characters.` : ''),
    inputSchema: object(
      {
        command: command('view', 'create', 'str_replace', 'insert'),
        path: text('The path of the file or folder.'),
        file_text: text('With create: the content of the new file.'),
        old_str: text('With str_replace: the text to replace, exactly as it stands there.'),
        new_str: text('With str_replace: what to put in its place.'),
        insert_line: whole('With insert: the line behind which to insert; 0 is the beginning.'),
        insert_text: text('With insert: the text to insert.'),
        view_range: pair('With view: the first and the last line to show; -1 is the end.'),
      },
      'command',
      'path',
    ),
  }),
  computer: ({ display_width_px: width, display_height_px: height }) => ({
    description: `Looks at a screen of ${String(width)} x ${String(height)} pixels, and uses its mouse and keyboard.`,
    inputSchema: object(
      {
        action: command(
          ...['screenshot', 'key', 'type', 'mouse_move', 'left_click', 'right_click', 'middle_click', 'double_click'],
          ...['triple_click', 'left_click_drag', 'left_mouse_down', 'left_mouse_up', 'scroll', 'hold_key', 'wait'],
          ...['cursor_position', 'zoom'],
        ),
        coordinate: pair('x and y on the screen: where to act.'),
        start_coordinate: pair('With left_click_drag: where the drag begins.'),
        text: text('With type: what to type; with key and hold_key: which keys; with a click: keys held down.'),
        scroll_direction: command('up', 'down', 'left', 'right'),
        scroll_amount: whole('With scroll: how many steps.'),
        duration: { type: 'number', description: 'With wait and hold_key: seconds.' },
        region: pair('With zoom: left, top, right and bottom of the part to look at.'),
      },
      'action',
    ),
  }),
  memory: () => ({
    description:
      'Keeps notes for later conversations in files below /memories: view, create, str_replace, insert, delete, rename.',
    inputSchema: object(
      {
        command: command('view', 'create', 'str_replace', 'insert', 'delete', 'rename'),
        path: text('The path, below /memories.'),
        file_text: text('With create: the content.'),
        old_str: text('With str_replace: the text to replace.'),
        new_str: text('With str_replace: what to put in its place.'),
        insert_line: whole('With insert: the line behind which to insert.'),
        insert_text: text('With insert: the text to insert.'),
        old_path: text('With rename: the path so far.'),
        new_path: text('With rename: the new path.'),
        view_range: pair('With view: the first and the last line to show.'),
      },
      'command',
    ),
  }),
};
