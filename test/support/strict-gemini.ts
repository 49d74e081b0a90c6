import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { strictSchemaProblems } from './strict-schemas.ts';
import {
  firstOf,
  isSealed,
  objectOf,
  objectsOf,
  pieces,
  type Rule,
  type StrictAnswer,
  type StrictApi,
  type StrictRequest,
  seal,
  sse,
  textOf,
  unknownField,
} from './strict-server.ts';

const MAKER = 'google';
const API = 'Gemini API reference, generateContent';
const SIGNATURES = 'Gemini API, thought signatures';

const TOP = [
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'safetySettings',
  'cachedContent',
  'labels',
  'serviceTier',
  'store',
];
const PART = [
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'videoMetadata',
  'mediaResolution',
  'partMetadata',
];
const CONFIG = [
  ...['temperature', 'topP', 'topK', 'maxOutputTokens', 'stopSequences', 'candidateCount', 'seed', 'presencePenalty'],
  ...['frequencyPenalty', 'responseMimeType', 'responseSchema', 'responseJsonSchema', 'responseModalities', 'logprobs'],
  ...['responseLogprobs', 'thinkingConfig', 'speechConfig', 'imageConfig', 'mediaResolution', '_responseJsonSchema'],
];

/** What the API takes in place of a signature for calls that no Gemini made. */
const SKIP_MARKERS = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'];

const contentsOf = ({ body }: StrictRequest): JsonObject[] => objectsOf(body.contents);
const partsOf = (content: JsonObject | undefined): JsonObject[] => objectsOf(content?.parts);
const callsIn = (content: JsonObject | undefined): JsonObject[] => partsOf(content).filter((part) => part.functionCall);
const responsesIn = (content: JsonObject | undefined): JsonObject[] =>
  partsOf(content).filter((part) => part.functionResponse);
const isThree = (model: string): boolean => /gemini-3/.test(model);

const RULES: readonly Rule[] = [
  {
    rule: 'unknown fields',
    source: API,
    problem: (request) => {
      const { body } = request;
      const config = unknownField(objectOf(body.generationConfig), CONFIG);
      const field =
        unknownField(body, TOP) ??
        (config && `${config}" at 'generation_config`) ??
        firstOf(contentsOf(request), (content, at) => {
          const inside = unknownField(content, ['role', 'parts']);
          if (inside) return `${inside}" at 'contents[${at}]`;
          const part = firstOf(partsOf(content), (one) => unknownField(one, PART));
          return part && `${part}" at 'contents[${at}].parts[0]`;
        });
      return field && `Invalid JSON payload received. Unknown name "${field}": Cannot find field.`;
    },
  },
  {
    rule: 'roles and their order',
    source: API,
    problem: (request) => {
      const contents = contentsOf(request);
      if (contents.length === 0) return '* GenerateContentRequest.contents: contents is not specified';
      const isKnown = ({ role }: JsonObject) =>
        role === undefined || role === 'user' || role === 'model' || role === 'function';
      if (!contents.every(isKnown)) return 'Please use a valid role: user, model.';
      if (contents[0]?.role === 'model' && callsIn(contents[0]).length > 0) {
        return 'Please ensure that function call turn comes immediately after a user turn or after a function response turn.';
      }
      return undefined;
    },
  },
  {
    rule: 'contents without anything in them',
    source: 'design/pitfalls B9',
    problem: (request) =>
      firstOf(contentsOf(request), (content) => {
        if (partsOf(content).length === 0)
          return 'Unable to submit request because it must include at least one parts field.';
        const isEmpty = partsOf(content).some(
          (part) => Object.keys(part).length === 0 || (part.text === '' && !part.thoughtSignature),
        );
        return isEmpty
          ? 'Unable to submit request because it has an empty text parameter. Add a value to the parameter and try again.'
          : undefined;
      }),
  },
  {
    rule: 'as many results as calls',
    source: 'design/pitfalls B6',
    problem: (request) =>
      firstOf(contentsOf(request), (content, at, all = contentsOf(request)) => {
        const calls = callsIn(content);
        const responses = responsesIn(content);
        if (calls.length > 0 && responsesIn(all[at + 1]).length !== calls.length) {
          return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
        }
        if (responses.length > 0 && callsIn(all[at - 1]).length !== responses.length) {
          return 'Please ensure that function response turn comes immediately after a function call turn.';
        }
        const names = callsIn(all[at - 1]).map((part) => objectOf(part.functionCall).name);
        return responses.some((part) => !names.includes(objectOf(part.functionResponse).name))
          ? 'Please ensure that function response parts have the names of the function calls.'
          : undefined;
      }),
  },
  {
    rule: 'signatures of calls',
    source: `${SIGNATURES}; design/pitfalls D1, D2`,
    problem: (request) => {
      const contents = contentsOf(request);
      const foreign = contents.flatMap(partsOf).find(({ thoughtSignature, functionCall, text }) => {
        if (thoughtSignature === undefined || SKIP_MARKERS.includes(textOf(thoughtSignature))) return false;
        return !isSealed(MAKER, functionCall ? textOf(objectOf(functionCall).name) : textOf(text), thoughtSignature);
      });
      if (foreign) return 'Corrupted thought signature.';
      if (!isThree(request.model)) return undefined;
      const asked = contents.findLastIndex(
        (content) => content.role !== 'model' && responsesIn(content).length < partsOf(content).length,
      );
      return firstOf(contents, (content, at) => {
        const [first, ...siblings] = content.role === 'model' ? callsIn(content) : [];
        if (at <= asked || !first) return undefined;
        if (siblings.some((part) => part.thoughtSignature !== undefined)) return 'Corrupted thought signature.';
        if (first.thoughtSignature !== undefined) return undefined;
        return `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${textOf(objectOf(first.functionCall).name)}\` , position ${at}.`;
      });
    },
  },
  {
    rule: 'more functions than it takes',
    source: 'google-gemini/gemini-cli #19083',
    problem: ({ body }) =>
      objectsOf(body.tools).some(({ functionDeclarations }) => objectsOf(functionDeclarations).length > 512)
        ? 'The GenerateContentRequest proto is invalid:\n  * tools[0].function_declarations: [FIELD_INVALID] At most 512 function declarations can be specified.'
        : undefined,
  },
  {
    rule: 'names of functions',
    source: API,
    problem: ({ body }) => {
      const names = objectsOf(body.tools).flatMap((tool) =>
        objectsOf(tool.functionDeclarations).map(({ name }) => textOf(name)),
      );
      const bad = names.find((name) => !/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(name));
      if (bad !== undefined) {
        return `Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64: ${bad}`;
      }
      const twice = names.find((name, at) => names.indexOf(name) !== at);
      return twice && `Duplicate function declaration found: ${twice}`;
    },
  },
  {
    rule: 'schemas of functions',
    source: 'strict-schemas.ts',
    problem: ({ body }) =>
      firstOf(
        objectsOf(body.tools).flatMap((tool) => objectsOf(tool.functionDeclarations)),
        ({ name, parameters, parametersJsonSchema }) => {
          if (parameters !== undefined && parametersJsonSchema !== undefined) {
            return `${textOf(name)}: parameters and parametersJsonSchema cannot both be set.`;
          }
          const problems = [
            ...(parameters === undefined ? [] : strictSchemaProblems('gemini', inCapitals(parameters))),
            ...(parametersJsonSchema === undefined ? [] : strictSchemaProblems('gemini-json', parametersJsonSchema)),
          ];
          return (
            problems[0] &&
            `* GenerateContentRequest.tools[0].function_declarations[0].parameters (${textOf(name)}): ${problems[0]}`
          );
        },
      ),
  },
  {
    rule: 'the limit of output',
    source: 'Gemini API, models',
    problem: ({ body, model }) => {
      const asked = Number(objectOf(body.generationConfig).maxOutputTokens ?? 1);
      const limit = /gemini-2\.0/.test(model) ? 8_192 : 65_536;
      return asked > limit
        ? `Unable to submit request because it has a maxOutputTokens value of ${asked} but the supported range is from 1 (inclusive) to ${limit + 1} (exclusive). Update the value and try again.`
        : undefined;
    },
  },
  {
    rule: 'words to stop at',
    source: 'Gemini API, GenerationConfig.stopSequences: up to 5',
    problem: ({ body }) => {
      const { stopSequences } = objectOf(body.generationConfig);
      return Array.isArray(stopSequences) && stopSequences.length > 5
        ? `* GenerateContentRequest.generation_config.stop_sequences: at most 5, not ${stopSequences.length}`
        : undefined;
    },
  },
  {
    rule: 'functions beside answers in JSON',
    source: 'the API, before Gemini 3',
    problem: ({ body, model }) => {
      const hasFunctions = objectsOf(body.tools).some((tool) => objectsOf(tool.functionDeclarations).length > 0);
      return hasFunctions && !isThree(model) && objectOf(body.generationConfig).responseMimeType === 'application/json'
        ? "Function calling with a response mime type: 'application/json' is unsupported"
        : undefined;
    },
  },
  {
    rule: 'thinking that the model does not know',
    source: 'Gemini API, thinking; design/pitfalls D15',
    problem: ({ body, model }) => {
      const thinking = objectOf(objectOf(body.generationConfig).thinkingConfig);
      if (Object.keys(thinking).length > 0 && /gemini-(1|2\.0)/.test(model))
        return 'Thinking is not supported for this model.';
      if (thinking.thinkingLevel !== undefined && !isThree(model))
        return 'Thinking level is not supported for this model.';
      if (thinking.thinkingLevel !== undefined && thinking.thinkingBudget !== undefined) {
        return 'You can only set only one of thinking budget and thinking level.';
      }
      return Number(thinking.thinkingBudget) === 0 && /pro/.test(model)
        ? 'Budget 0 is invalid. This model only works in thinking mode.'
        : undefined;
    },
  },
];

/** The API reads its names of types in either case (Gemini API, function calling: the examples have small letters). */
const inCapitals = (schema: JsonValue): JsonValue => {
  if (Array.isArray(schema)) return schema.map(inCapitals);
  if (!isObject(schema)) return schema;
  const members = Object.entries(schema).map(([key, value = null]): [string, JsonValue] =>
    key === 'type' && typeof value === 'string' ? [key, value.toUpperCase()] : [key, inCapitals(value)],
  );
  return Object.fromEntries(members);
};

function partsGiven({ thinking, text, calls = [] }: StrictAnswer, request: StrictRequest, count: number): JsonObject[] {
  const shows = objectOf(objectOf(request.body.generationConfig).thinkingConfig).includeThoughts === true;
  return [
    ...(shows && thinking !== undefined ? [{ text: thinking, thought: true }] : []),
    ...(text === undefined ? [] : [{ text, ...(calls.length === 0 && { thoughtSignature: seal(MAKER, text) }) }]),
    ...calls.map(({ name, input }, index) => ({
      functionCall: { id: `gm${count}x${index}abcdefgh`, name, args: input },
      ...(index === 0 && { thoughtSignature: seal(MAKER, name) }),
    })),
  ];
}

const USAGE = { promptTokenCount: 100, candidatesTokenCount: 20, totalTokenCount: 120 };

const answerOf = (parts: JsonObject[], { model }: StrictRequest, count: number, last: boolean): JsonObject => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...(last && { finishReason: 'STOP' }) }],
  usageMetadata: USAGE,
  modelVersion: model,
  responseId: `gmr${count}`,
});

/** Plain text in pieces, as the API streams it; everything else whole. */
const piecesOf = (part: JsonObject): JsonObject[] =>
  typeof part.text === 'string' && part.thoughtSignature === undefined
    ? pieces(part.text).map((text) => ({ ...part, text }))
    : [part];

export const strictGemini: StrictApi = {
  rules: RULES,
  refusal: (message) => ({ status: 400, body: { error: { code: 400, message, status: 'INVALID_ARGUMENT' } } }),
  whole: (answer, request, count) => answerOf(partsGiven(answer, request, count), request, count, true),
  streamed: (answer, request, count) => {
    const parts = partsGiven(answer, request, count).flatMap(piecesOf);
    return parts.map((part, index) => sse(answerOf([part], request, count, index === parts.length - 1))).join('');
  },
};
