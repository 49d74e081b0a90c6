import type { JsonObject } from '../../model/json.ts';
import {
  both,
  check,
  list,
  maybe,
  members,
  name,
  object,
  type Shape,
  number as strictNumber,
  text,
  word,
} from '../shape.ts';

/** Google's JSON takes numbers as texts too. */
const number: Shape = (value) =>
  typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? undefined : strictNumber(value);

/** A list, or its only entry by itself. */
const oneOrMany = (entry: Shape, what: string, whenEmpty?: string): Shape => {
  const many = list(entry, whenEmpty);
  return (value) => {
    if (Array.isArray(value)) return many(value);
    return object(value) ? { path: [], what } : entry(value);
  };
};

/** Members of parts that we read; every other kind passes as it is. */
const part = both(
  object,
  members({
    text: maybe(text),
    inlineData: maybe(members({ mimeType: maybe(text), data: text })),
    fileData: maybe(members({ mimeType: maybe(text), fileUri: text })),
    functionCall: maybe(members({ name, id: maybe(text), args: maybe(object) })),
    functionResponse: maybe(members({ name, id: maybe(text), response: maybe(object) })),
  }),
);

const content = members({
  role: maybe(word('user', 'model', 'function', 'system')),
  parts: maybe(oneOrMany(part, 'must be a list of objects')),
});

const contentOrText: Shape = (value) => (typeof value === 'string' ? undefined : content(value));

const systemInstruction: Shape = (value) =>
  typeof value === 'string' || !object(value) ? undefined : { path: [], what: 'must be a content' };

const declaration = members({ name, description: maybe(text), parameters: maybe(object) });

const tool = members({ functionDeclarations: maybe(oneOrMany(declaration, 'must be a list of objects')) });

const generationConfig = members({
  maxOutputTokens: maybe(number),
  temperature: maybe(number),
  topP: maybe(number),
  topK: maybe(number),
  seed: maybe(number),
  presencePenalty: maybe(number),
  frequencyPenalty: maybe(number),
  stopSequences: maybe(list(text)),
  responseMimeType: maybe(text),
  responseSchema: maybe(object),
  thinkingConfig: maybe(members({ thinkingBudget: maybe(number), thinkingLevel: maybe(text) })),
});

const calling = members({ mode: maybe(text), allowedFunctionNames: maybe(list(text)) });

const request = members({
  contents: oneOrMany(contentOrText, 'a list of contents is required', 'at least one content is required'),
  systemInstruction: maybe(systemInstruction),
  tools: maybe(oneOrMany(tool, 'must be a list of objects')),
  toolConfig: maybe(members({ functionCallingConfig: maybe(calling) })),
  generationConfig: maybe(generationConfig),
});

/** Throws GatewayError that names the place, as in `contents.2.parts.0.text: ...`. `body` is in camelCase. */
export const checkRequest = (body: JsonObject): void => check(request, body);
