import type { JsonObject } from '../../model/json.ts';
import {
  both,
  byKind,
  check,
  either,
  flag,
  list,
  maybe,
  members,
  name,
  number,
  object,
  type Shape,
  text,
  textOrList,
  word,
} from '../shape.ts';

/** Told by `type`, never by name. Some clients leave the type out. */
export const isFunctionTool = (tool: JsonObject): boolean => formOf(tool) === 'function';

/** Calls of old clients and clones leave the type out. */
const formOf = ({ type }: Readonly<Record<string, unknown>>): string => (typeof type === 'string' ? type : 'function');

const kind = members({ type: text });

/** Unknown kinds of parts must pass. */
const part = both(
  kind,
  byKind(({ type }) => type, {
    text: members({ text }),
    refusal: members({ refusal: text }),
    image_url: members({ image_url: either('must hold the url of an image', text, members({ url: text })) }),
    input_audio: members({ input_audio: members({ data: text, format: text }) }),
    file: members({ file: members({ file_data: maybe(text), file_id: maybe(text), filename: maybe(text) }) }),
  }),
);

const content = textOrList(part, 'must be a text or a list of parts');

const toolCall = both(
  members({ id: maybe(text), type: maybe(text) }),
  byKind(formOf, {
    function: members({
      function: members({ name: text, arguments: maybe(either('must be a text or an object', text, object)) }),
    }),
    custom: members({ custom: members({ name: text, input: text }) }),
  }),
);

const said = { content: maybe(content) };

const MESSAGES: Readonly<Record<string, Shape>> = {
  system: members(said),
  developer: members(said),
  user: members(said),
  assistant: members({
    ...said,
    refusal: maybe(text),
    tool_calls: maybe(list(toolCall)),
    function_call: maybe(members({ name: text, arguments: text })),
  }),
  tool: members({ ...said, tool_call_id: text }),
  function: members({ ...said, name: text }),
};

const message = both(
  members({ role: word(...Object.keys(MESSAGES)) }),
  byKind(({ role }) => role, MESSAGES),
);

const functionShape = members({ name, description: maybe(text), parameters: maybe(object) });

const tool = both(members({ type: maybe(text) }), byKind(formOf, { function: members({ function: functionShape }) }));

const request = members({
  messages: list(message, 'at least one message is required'),
  tools: maybe(list(tool)),
  functions: maybe(list(functionShape)),
  tool_choice: maybe(either('must be a word or an object', text, object)),
  parallel_tool_calls: maybe(flag),
  max_tokens: maybe(number),
  max_completion_tokens: maybe(number),
  temperature: maybe(number),
  top_p: maybe(number),
  stop: maybe(either('must be a text or a list of texts', text, list(text))),
  seed: maybe(number),
  presence_penalty: maybe(number),
  frequency_penalty: maybe(number),
  user: maybe(text),
  reasoning_effort: maybe(text),
  reasoning: maybe(members({ effort: maybe(text), max_tokens: maybe(number) })),
  response_format: maybe(members({ type: text })),
});

/** Throws GatewayError('invalid-request') that names the place, as in `messages.2.content.0.text: ...`. */
export const checkRequest = (body: JsonObject): void => check(request, body);
