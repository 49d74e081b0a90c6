import { isObject, type JsonObject } from '../../model/json.ts';
import {
  both,
  byKind,
  check,
  either,
  type Fault,
  flag,
  list,
  maybe,
  members,
  name,
  number,
  object,
  text,
  textOrList,
} from '../shape.ts';

const kind = members({ type: text });

const part = both(
  kind,
  byKind(({ type }) => type, {
    input_text: members({ text }),
    output_text: members({ text }),
    refusal: members({ refusal: text }),
    input_image: members({ image_url: maybe(text), file_id: maybe(text) }),
    input_file: members({
      file_data: maybe(text),
      file_url: maybe(text),
      file_id: maybe(text),
      filename: maybe(text),
    }),
  }),
);

const content = textOrList(part, 'must be a text or a list of parts');

/** Items that we read; every other kind passes as it is. A message may come without its type. */
const item = byKind(({ type }) => (typeof type === 'string' ? type : 'message'), {
  message: members({ role: text, content: maybe(content) }),
  function_call: members({ call_id: text, name: text, arguments: text }),
  function_call_output: members({ call_id: text, output: content }),
  custom_tool_call: members({ call_id: text, name: text, input: text }),
  custom_tool_call_output: members({ call_id: text, output: content }),
});

const input = textOrList(both(object, item), 'must be a text or a list of items');

const named = {
  function: members({ name, description: maybe(text), parameters: maybe(object) }),
  custom: members({ name }),
};

const inner = both(
  kind,
  byKind(({ type }) => type, named),
);

const tool = both(
  kind,
  byKind(({ type }) => type, { ...named, namespace: members({ name, tools: list(inner) }) }),
);

const request = both(
  members({
    input: maybe(input),
    instructions: maybe(text),
    tools: maybe(list(tool)),
    tool_choice: maybe(either('must be a word or an object', text, object)),
    parallel_tool_calls: maybe(flag),
    max_output_tokens: maybe(number),
    temperature: maybe(number),
    top_p: maybe(number),
    user: maybe(text),
    store: maybe(flag),
    include: maybe(list(text)),
    previous_response_id: maybe(text),
    reasoning: maybe(members({ effort: maybe(text), max_tokens: maybe(number) })),
    text: maybe(members({ format: maybe(kind) })),
  }),
  asksSomething,
);

/** Without input there must be a conversation at the provider to go on with. */
function asksSomething(value: unknown): Fault | undefined {
  if (!isObject(value)) return undefined;
  const { input: given, previous_response_id: earlier, conversation, prompt } = value;
  if ([given, earlier, conversation, prompt].some((each) => each !== undefined && each !== null)) return undefined;
  return { path: ['input'], what: 'is required: a text, or a list of items' };
}

/** Throws GatewayError('invalid-request') that names the place, as in `input.2.content.0.text: ...`. */
export const checkRequest = (body: JsonObject): void => check(request, body);
