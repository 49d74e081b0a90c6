import { z } from 'zod';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { check, type Path, refuse } from '../schema-check.ts';

const number = z.number().nullish();
const text = z.string().nullish();
const object = z.record(z.string(), z.unknown());

const call = z.looseObject({ id: text, type: text });

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.enum(['system', 'developer', 'user']) }),
  z.looseObject({
    role: z.literal('assistant'),
    refusal: text,
    tool_calls: z.array(call).nullish(),
    function_call: z.looseObject({ name: z.string(), arguments: z.string() }).nullish(),
  }),
  z.looseObject({ role: z.literal('tool'), tool_call_id: z.string() }),
  z.looseObject({ role: z.literal('function'), name: z.string() }),
]);

const functionShape = z.looseObject({ name: z.string().min(1), description: text, parameters: object.nullish() });

/** The envelope of a request. Content is checked part by part, because unknown kinds of parts must pass. */
const envelope = z.looseObject({
  messages: z.array(message).min(1, 'at least one message is required'),
  tools: z.array(z.looseObject({ type: text })).nullish(),
  functions: z.array(functionShape).nullish(),
  tool_choice: z.union([z.string(), object], { error: 'must be a word or an object' }).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_tokens: number,
  max_completion_tokens: number,
  temperature: number,
  top_p: number,
  stop: z.union([z.string(), z.array(z.string())], { error: 'must be a text or a list of texts' }).nullish(),
  seed: number,
  presence_penalty: number,
  frequency_penalty: number,
  user: text,
  reasoning_effort: text,
  reasoning: z.looseObject({ effort: text, max_tokens: number }).nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
});

const functionTool = z.looseObject({ function: functionShape });

/** Kinds of content parts that we read; every other kind passes as it is. */
const KNOWN_PARTS: Readonly<Record<string, z.ZodType>> = {
  text: z.looseObject({ text: z.string() }),
  refusal: z.looseObject({ refusal: z.string() }),
  image_url: z.looseObject({
    image_url: z.union([z.string(), z.looseObject({ url: z.string() })], { error: 'must hold the url of an image' }),
  }),
  input_audio: z.looseObject({ input_audio: z.looseObject({ data: z.string(), format: z.string() }) }),
  file: z.looseObject({ file: z.looseObject({ file_data: text, file_id: text, filename: text }) }),
};

/** How a call is written, by its `type`; calls of old clients and clones leave it out. */
const CALL_FORMS: Readonly<Record<string, z.ZodType>> = {
  function: z.looseObject({
    function: z.looseObject({ name: z.string(), arguments: z.union([z.string(), object]).nullish() }),
  }),
  custom: z.looseObject({ custom: z.looseObject({ name: z.string(), input: z.string() }) }),
};

/** Throws GatewayError('invalid-request') that names the place, as in `messages.2.content.0.text: ...`. */
export function checkRequest(body: JsonObject): void {
  check(envelope, body, []);
  items(body.messages).forEach((item, index) => {
    if (!isObject(item)) return;
    checkContent(item.content, ['messages', index, 'content']);
    items(item.tool_calls).forEach((value, nth) => {
      const form = isObject(value) ? CALL_FORMS[formOf(value)] : undefined;
      if (form) check(form, value, ['messages', index, 'tool_calls', nth]);
    });
  });
  items(body.tools).forEach((tool, index) => {
    if (isObject(tool) && isFunctionTool(tool)) check(functionTool, tool, ['tools', index]);
  });
}

/** Told by `type`, never by name. Some clients leave the type out. */
export const isFunctionTool = (tool: JsonObject): boolean => formOf(tool) === 'function';

const formOf = ({ type }: JsonObject): string => (typeof type === 'string' ? type : 'function');

function checkContent(content: JsonValue | undefined, path: Path): void {
  if (typeof content === 'string' || content === undefined || content === null) return;
  if (!Array.isArray(content)) refuse(path, 'must be a text or a list of parts');
  content.forEach((part, index) => {
    check(z.looseObject({ type: z.string() }), part, [...path, index]);
    const known = isObject(part) ? KNOWN_PARTS[String(part.type)] : undefined;
    if (known) check(known, part, [...path, index]);
  });
}

const items = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
