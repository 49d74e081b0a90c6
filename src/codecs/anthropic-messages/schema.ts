import type { JsonObject } from '../../model/json.ts';
import {
  both,
  byKind,
  check,
  count,
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

const source = members({ source: members({ type: text }) });

/** Kinds of blocks that we read; every other kind passes as it is. */
const known = byKind(({ type }) => type, {
  text: members({ text }),
  image: source,
  document: source,
  thinking: members({ thinking: text, signature: maybe(text) }),
  tool_use: members({ id: name, name, input: object }),
  tool_result: members({ tool_use_id: name, is_error: maybe(flag), content: maybe((value) => content(value)) }),
  tool_reference: members({ tool_name: text }),
});

const content: Shape = textOrList(both(members({ type: text }), known), 'content must be text or a list of blocks');

/** Told by `type`, never by name: a client may call its own tool `computer`. */
export const isCustomTool = (tool: JsonObject): boolean =>
  tool.type === undefined || tool.type === null || tool.type === 'custom';

const customTool = members({ name, description: maybe(text), input_schema: object, strict: maybe(flag) });

const tool = both(
  members({ type: maybe(text) }),
  byKind(({ type }) => type ?? 'custom', { custom: customTool }),
);

const toolChoice = both(
  members({ type: word('auto', 'any', 'none', 'tool') }),
  byKind(({ type }) => type, { tool: members({ name: text }) }),
);

const request = members({
  messages: list(members({ role: word('user', 'assistant', 'system'), content }), 'at least one message is required'),
  system: maybe(content),
  max_tokens: maybe(count),
  temperature: maybe(number),
  top_p: maybe(number),
  top_k: maybe(count),
  stop_sequences: maybe(list(text)),
  thinking: maybe(members({ type: text, budget_tokens: maybe(count) })),
  output_config: maybe(members({ effort: maybe(text), format: maybe(object) })),
  output_format: maybe(object),
  metadata: maybe(members({ user_id: maybe(text) })),
  tool_choice: maybe(toolChoice),
  tools: maybe(list(tool)),
});

/** Throws GatewayError('invalid-request') that names the place, as in `messages.2.content.0.text: ...`. */
export const checkRequest = (body: JsonObject): void => check(request, body);
