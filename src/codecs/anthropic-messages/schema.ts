import { z } from 'zod';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { check, type Path, refuse } from '../schema-check.ts';

const count = z.number().int().min(0);
const object = z.record(z.string(), z.unknown());

/** The envelope of a request. Content is checked block by block, because unknown kinds of blocks must pass. */
const envelope = z.looseObject({
  messages: z
    .array(z.looseObject({ role: z.enum(['user', 'assistant', 'system']) }))
    .min(1, 'at least one message is required'),
  max_tokens: count.nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: count.nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: count.optional() }).nullish(),
  output_config: z.looseObject({ effort: z.string().nullish(), format: object.nullish() }).nullish(),
  output_format: object.nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.looseObject({ type: z.enum(['auto', 'any', 'none']) }),
      z.looseObject({ type: z.literal('tool'), name: z.string() }),
    ])
    .nullish(),
  tools: z.array(z.looseObject({ type: z.string().nullish() })).nullish(),
});

const customTool = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  input_schema: object,
  strict: z.boolean().nullish(),
});

const block = z.looseObject({ type: z.string() });
const source = z.looseObject({ type: z.string() });

/** Kinds of blocks that we read; every other kind passes as it is. */
const KNOWN_BLOCKS: Readonly<Record<string, z.ZodType>> = {
  text: z.looseObject({ text: z.string() }),
  image: z.looseObject({ source }),
  document: z.looseObject({ source }),
  thinking: z.looseObject({ thinking: z.string(), signature: z.string().nullish() }),
  tool_use: z.looseObject({ id: z.string().min(1), name: z.string().min(1), input: object }),
  tool_result: z.looseObject({ tool_use_id: z.string().min(1), is_error: z.boolean().nullish() }),
  tool_reference: z.looseObject({ tool_name: z.string() }),
};

/** Throws GatewayError('invalid-request') that names the place, as in `messages.2.content.0.text: ...`. */
export function checkRequest(body: JsonObject): void {
  check(envelope, body, []);
  if (body.system !== undefined && body.system !== null) checkContent(body.system, ['system']);
  items(body.messages).forEach((message, index) => {
    if (isObject(message)) checkContent(message.content, ['messages', index, 'content']);
  });
  items(body.tools).forEach((tool, index) => {
    if (isObject(tool) && isCustomTool(tool)) check(customTool, tool, ['tools', index]);
  });
}

/** Told by `type`, never by name: a client may call its own tool `computer`. */
export const isCustomTool = (tool: JsonObject): boolean =>
  tool.type === undefined || tool.type === null || tool.type === 'custom';

function checkContent(content: JsonValue | undefined, path: Path): void {
  if (typeof content === 'string') return;
  if (!Array.isArray(content)) refuse([...path], 'content must be text or a list of blocks');
  content.forEach((item, index) => {
    checkBlock(item, [...path, index]);
  });
}

function checkBlock(item: JsonValue, path: Path): void {
  check(block, item, path);
  if (!isObject(item)) return;
  const known = KNOWN_BLOCKS[String(item.type)];
  if (known) check(known, item, path);
  if (item.type === 'tool_result' && item.content !== undefined && item.content !== null) {
    checkContent(item.content, [...path, 'content']);
  }
}

const items = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
