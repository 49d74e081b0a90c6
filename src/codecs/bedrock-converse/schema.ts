import type { JsonObject } from '../../model/json.ts';
import { both, check, count, list, maybe, members, name, number, object, text, word } from '../shape.ts';

const source = maybe(members({ source: object }));

/** Kinds of blocks that we read; every other kind passes as it is. */
const block = both(
  object,
  members({
    text: maybe(text),
    image: source,
    document: source,
    video: source,
    toolUse: maybe(members({ toolUseId: name, name })),
    toolResult: maybe(members({ toolUseId: name, content: maybe(list(object)) })),
    reasoningContent: maybe(object),
  }),
);

const toolSpec = members({ name, description: maybe(text), inputSchema: members({ json: object }) });

const request = members({
  messages: list(
    members({ role: word('user', 'assistant', 'system'), content: maybe(list(block)) }),
    'at least one message is required',
  ),
  system: maybe(list(block)),
  inferenceConfig: maybe(
    members({
      maxTokens: maybe(count),
      temperature: maybe(number),
      topP: maybe(number),
      stopSequences: maybe(list(text)),
    }),
  ),
  toolConfig: maybe(
    members({
      tools: maybe(list(members({ toolSpec: maybe(toolSpec) }))),
      toolChoice: maybe(members({ auto: maybe(object), any: maybe(object), tool: maybe(members({ name: text })) })),
    }),
  ),
  additionalModelRequestFields: maybe(object),
  outputConfig: maybe(object),
});

/** Throws GatewayError that names the place, as in `messages.2.content.0.toolUse.name: ...`. */
export const checkRequest = (body: JsonObject): void => check(request, body);
