import { z } from 'zod';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { check, type Path } from '../schema-check.ts';

const count = z.number().int().min(0);
const object = z.record(z.string(), z.unknown());

/** The envelope of a request. Blocks are checked one by one, because unknown kinds must pass. */
const envelope = z.looseObject({
  messages: z
    .array(z.looseObject({ role: z.enum(['user', 'assistant', 'system']), content: z.array(object).nullish() }))
    .min(1, 'at least one message is required'),
  system: z.array(object).nullish(),
  inferenceConfig: z
    .looseObject({
      maxTokens: count.nullish(),
      temperature: z.number().nullish(),
      topP: z.number().nullish(),
      stopSequences: z.array(z.string()).nullish(),
    })
    .nullish(),
  toolConfig: z
    .looseObject({
      tools: z.array(object).nullish(),
      toolChoice: z
        .looseObject({
          auto: object.nullish(),
          any: object.nullish(),
          tool: z.looseObject({ name: z.string() }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
  additionalModelRequestFields: object.nullish(),
  outputConfig: object.nullish(),
});

const source = z.looseObject({ source: object });

/** Kinds of blocks that we read; every other kind passes as it is. */
const KNOWN_BLOCKS: Readonly<Record<string, z.ZodType>> = {
  text: z.string(),
  image: source,
  document: source,
  video: source,
  toolUse: z.looseObject({ toolUseId: z.string().min(1), name: z.string().min(1) }),
  toolResult: z.looseObject({ toolUseId: z.string().min(1), content: z.array(object).nullish() }),
  reasoningContent: object,
};

const toolSpec = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  inputSchema: z.looseObject({ json: object }),
});

/** Throws GatewayError that names the place, as in `messages.2.content.0.toolUse.name: ...`. */
export function checkRequest(body: JsonObject): void {
  check(envelope, body, []);
  items(body.messages).forEach((message, index) => {
    if (isObject(message)) checkBlocks(message.content, ['messages', index, 'content']);
  });
  checkBlocks(body.system, ['system']);
  const { tools } = isObject(body.toolConfig) ? body.toolConfig : {};
  items(tools).forEach((tool, index) => {
    if (isObject(tool) && isObject(tool.toolSpec))
      check(toolSpec, tool.toolSpec, ['toolConfig', 'tools', index, 'toolSpec']);
  });
}

function checkBlocks(blocks: JsonValue | undefined, path: Path): void {
  items(blocks).forEach((block, index) => {
    if (!isObject(block)) return;
    for (const [kind, schema] of Object.entries(KNOWN_BLOCKS)) {
      if (block[kind] !== undefined && block[kind] !== null) check(schema, block[kind], [...path, index, kind]);
    }
  });
}

const items = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
