import { z } from 'zod';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { check, type Path, refuse } from '../schema-check.ts';

const number = z.number().nullish();
const text = z.string().nullish();
const object = z.record(z.string(), z.unknown());

/** The envelope of a request. Items are checked one by one, because unknown kinds of items must pass. */
const envelope = z.looseObject({
  input: z.union([z.string(), z.array(object)], { error: 'must be a text or a list of items' }).nullish(),
  instructions: text,
  tools: z.array(z.looseObject({ type: z.string() })).nullish(),
  tool_choice: z.union([z.string(), object], { error: 'must be a word or an object' }).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: number,
  temperature: number,
  top_p: number,
  user: text,
  store: z.boolean().nullish(),
  include: z.array(z.string()).nullish(),
  previous_response_id: text,
  reasoning: z.looseObject({ effort: text, max_tokens: number }).nullish(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish() }).nullish(),
});

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))], {
  error: 'must be a text or a list of parts',
});

/** Items that we read; every other kind passes as it is. */
const KNOWN_ITEMS: Readonly<Record<string, z.ZodType>> = {
  message: z.looseObject({ role: z.string(), content: content.nullish() }),
  function_call: z.looseObject({ call_id: z.string(), name: z.string(), arguments: z.string() }),
  function_call_output: z.looseObject({ call_id: z.string(), output: content }),
  custom_tool_call: z.looseObject({ call_id: z.string(), name: z.string(), input: z.string() }),
  custom_tool_call_output: z.looseObject({ call_id: z.string(), output: content }),
};

const KNOWN_PARTS: Readonly<Record<string, z.ZodType>> = {
  input_text: z.looseObject({ text: z.string() }),
  output_text: z.looseObject({ text: z.string() }),
  refusal: z.looseObject({ refusal: z.string() }),
  input_image: z.looseObject({ image_url: text, file_id: text }),
  input_file: z.looseObject({ file_data: text, file_url: text, file_id: text, filename: text }),
};

const functionTool = z.looseObject({ name: z.string().min(1), description: text, parameters: object.nullish() });

const KNOWN_TOOLS: Readonly<Record<string, z.ZodType>> = {
  function: functionTool,
  custom: z.looseObject({ name: z.string().min(1) }),
  namespace: z.looseObject({ name: z.string().min(1), tools: z.array(z.looseObject({ type: z.string() })) }),
};

/** Throws GatewayError('invalid-request') that names the place, as in `input.2.content.0.text: ...`. */
export function checkRequest(body: JsonObject): void {
  check(envelope, body, []);
  if ((body.input === undefined || body.input === null) && !continues(body)) {
    refuse(['input'], 'is required: a text, or a list of items');
  }
  items(body.input).forEach((item, index) => {
    if (isObject(item)) checkItem(item, ['input', index]);
  });
  items(body.tools).forEach((tool, index) => {
    checkKnown(KNOWN_TOOLS, tool, ['tools', index]);
    if (isObject(tool) && tool.type === 'namespace') {
      items(tool.tools).forEach((inner, nth) => {
        checkKnown(KNOWN_TOOLS, inner, ['tools', index, 'tools', nth]);
      });
    }
  });
}

/** Whether the provider has a conversation of its own to go on with. */
const continues = (body: JsonObject): boolean =>
  [body.previous_response_id, body.conversation, body.prompt].some((value) => value !== undefined && value !== null);

function checkItem(item: JsonObject, path: Path): void {
  const type = typeof item.type === 'string' ? item.type : 'message';
  const known = KNOWN_ITEMS[type];
  if (!known) return;
  check(known, item, path);
  for (const field of ['content', 'output']) {
    items(item[field]).forEach((part, index) => {
      checkKnown(KNOWN_PARTS, part, [...path, field, index]);
    });
  }
}

function checkKnown(known: Readonly<Record<string, z.ZodType>>, value: JsonValue, path: Path): void {
  const schema = isObject(value) ? known[String(value.type)] : undefined;
  if (schema) check(schema, value, path);
}

const items = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
