import { z } from 'zod';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { check, type Path } from '../schema-check.ts';

/** Google's JSON takes numbers as texts too. */
const number = z.union([z.number(), z.string().regex(/^-?\d+(?:\.\d+)?$/)], { error: 'must be a number' }).nullish();
const text = z.string().nullish();
const object = z.record(z.string(), z.unknown());
const oneOrMany = z.union([object, z.array(object)], { error: 'must be a list of objects' }).nullish();

const generationConfig = z.looseObject({
  maxOutputTokens: number,
  temperature: number,
  topP: number,
  topK: number,
  seed: number,
  presencePenalty: number,
  frequencyPenalty: number,
  stopSequences: z.array(z.string()).nullish(),
  responseMimeType: text,
  responseSchema: object.nullish(),
  thinkingConfig: z.looseObject({ thinkingBudget: number, thinkingLevel: text }).nullish(),
});

const calling = z.looseObject({ mode: text, allowedFunctionNames: z.array(z.string()).nullish() });

/** The envelope of a request, in camelCase. Parts are checked one by one, because unknown kinds must pass. */
const envelope = z.looseObject({
  contents: z.union([z.array(z.unknown()).min(1, 'at least one content is required'), object], {
    error: 'a list of contents is required',
  }),
  systemInstruction: z.union([z.string(), object], { error: 'must be a content' }).nullish(),
  tools: oneOrMany,
  toolConfig: z.looseObject({ functionCallingConfig: calling.nullish() }).nullish(),
  generationConfig: generationConfig.nullish(),
});

const content = z.looseObject({ role: z.enum(['user', 'model', 'function', 'system']).nullish(), parts: oneOrMany });

/** Members of parts that we read; every other kind passes as it is. */
const KNOWN_PARTS: Readonly<Record<string, z.ZodType>> = {
  text: z.string(),
  inlineData: z.looseObject({ mimeType: text, data: z.string() }),
  fileData: z.looseObject({ mimeType: text, fileUri: z.string() }),
  functionCall: z.looseObject({ name: z.string().min(1), id: text, args: object.nullish() }),
  functionResponse: z.looseObject({ name: z.string().min(1), id: text, response: object.nullish() }),
};

const declaration = z.looseObject({ name: z.string().min(1), description: text, parameters: object.nullish() });

/** Throws GatewayError that names the place, as in `contents.2.parts.0.text: ...`. `body` is in camelCase. */
export function checkRequest(body: JsonObject): void {
  check(envelope, body, []);
  items(body.contents).forEach((item, index) => {
    if (typeof item === 'string') return;
    check(content, item, ['contents', index]);
    const parts = isObject(item) ? items(item.parts) : [];
    parts.forEach((part, nth) => {
      checkPart(part, ['contents', index, 'parts', nth]);
    });
  });
  items(body.tools).forEach((tool, index) => {
    const declarations = isObject(tool) ? items(tool.functionDeclarations) : [];
    declarations.forEach((value, nth) => {
      check(declaration, value, ['tools', index, 'functionDeclarations', nth]);
    });
  });
}

function checkPart(part: JsonValue, path: Path): void {
  if (!isObject(part)) return;
  for (const [field, schema] of Object.entries(KNOWN_PARTS)) {
    if (part[field] !== undefined && part[field] !== null) check(schema, part[field], [...path, field]);
  }
}

const items = (value: JsonValue | undefined): readonly JsonValue[] => {
  if (isObject(value)) return [value];
  return Array.isArray(value) ? value : [];
};
