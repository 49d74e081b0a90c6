import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';

/** Fields that the Gemini API knows; it refuses all others. */
const TOP = words('contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels');
const CONFIG = words(`maxOutputTokens temperature topP topK stopSequences seed presencePenalty frequencyPenalty
  responseMimeType responseSchema responseJsonSchema thinkingConfig responseModalities speechConfig candidateCount
  mediaResolution responseLogprobs logprobs`);
const PART = words(`text thought thoughtSignature inlineData fileData functionCall functionResponse executableCode
  codeExecutionResult videoMetadata toolCall toolResponse`);
const DECLARATION = words('name description parameters parametersJsonSchema response responseJsonSchema behavior');
const SCHEMA = words(`type format title description nullable enum items minItems maxItems properties required
  minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering default minimum maximum`);
const JSON_SCHEMA = words(`$id $defs $ref $anchor type format title description enum items prefixItems minItems maxItems
  minimum maximum anyOf oneOf properties additionalProperties required propertyOrdering`);
const TYPES = words('STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT');
const FORMATS = words('date-time enum float double int32 int64');

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/;

/** What the Gemini API would refuse a body for; empty when there is nothing. Stricter than any one model. */
export function problemsIn(body: JsonObject): string[] {
  const contents = objects(body.contents);
  const config = isObject(body.generationConfig) ? body.generationConfig : {};
  const problems = [...unknownFields(body, TOP, 'body'), ...unknownFields(config, CONFIG, 'generationConfig')];
  if (contents.length === 0) problems.push('contents: empty');
  if (contents[0]?.role !== 'user') problems.push('contents.0: not the user');
  if (body.systemInstruction) problems.push(...problemsOfParts(body.systemInstruction, 'systemInstruction'));
  problems.push(...contents.flatMap((content, index) => problemsOfContent(content, `contents.${index}`)));
  problems.push(...problemsOfTurns(contents), ...problemsOfTools(body), ...problemsOfThinking(config));
  if (Array.isArray(config.stopSequences) && config.stopSequences.length > 5) problems.push('stopSequences: too many');
  return problems;
}

function problemsOfContent(content: JsonObject, at: string): string[] {
  const problems = unknownFields(content, words('role parts'), at);
  if (content.role !== 'user' && content.role !== 'model') problems.push(`${at}.role: ${String(content.role)}`);
  return [...problems, ...problemsOfParts(content, at)];
}

function problemsOfParts(content: JsonValue, at: string): string[] {
  const parts = isObject(content) ? objects(content.parts) : [];
  if (parts.length === 0) return [`${at}.parts: empty`];
  return parts.flatMap((part, index) => problemsOfPart(part, `${at}.parts.${index}`));
}

function problemsOfPart(part: JsonObject, at: string): string[] {
  const problems = unknownFields(part, PART, at);
  if (part.text === '' && part.thoughtSignature === undefined) problems.push(`${at}.text: empty`);
  const { functionCall: call, functionResponse: response, inlineData: data } = part;
  if (isObject(call)) {
    problems.push(
      ...unknownFields(call, words('id name args'), `${at}.functionCall`),
      ...problemsOfName(call.name, at),
    );
    if (!isObject(call.args)) problems.push(`${at}.functionCall.args: not an object`);
  }
  if (isObject(response)) {
    problems.push(...unknownFields(response, words('id name response parts'), `${at}.functionResponse`));
    if (!isObject(response.response)) problems.push(`${at}.functionResponse.response: not an object`);
  }
  if (isObject(data) && !/^\w+\/[\w.+-]+$/.test(String(data.mimeType)))
    problems.push(`${at}: ${String(data.mimeType)}`);
  return problems;
}

/** As many results as calls, of the same names in the same order, in the one content right behind. */
function problemsOfTurns(contents: readonly JsonObject[]): string[] {
  const problems: string[] = [];
  contents.forEach((content, index) => {
    const called = members(content, 'functionCall').map(({ id, name }) => `${String(id)} ${String(name)}`);
    const next = contents[index + 1];
    const answered = next
      ? members(next, 'functionResponse').map(({ id, name }) => `${String(id)} ${String(name)}`)
      : [];
    if (called.length > 0 && next && called.join() !== answered.join()) {
      problems.push(`contents.${index}: ${called.join()} is answered by ${answered.join()}`);
    }
    if (called.length === 0 && answered.length > 0) problems.push(`contents.${index + 1}: answers no call`);
    if (called.length > 0 && !next) problems.push(`contents.${index}: calls are not answered`);
    if (answered.length > 0 && next && objects(next.parts).length > answered.length) {
      problems.push(`contents.${index + 1}: more than results`);
    }
    if (content.role === 'model' && contents[index + 1]?.role === 'model')
      problems.push(`contents.${index}: twice model`);
  });
  return [...problems, ...unsignedSteps(contents)];
}

/** Gemini 3: in the turn under way, the first call of each step is signed and no other is signed alike. */
function unsignedSteps(contents: readonly JsonObject[]): string[] {
  const asked = contents.findLastIndex(
    ({ role, parts }) => role === 'user' && objects(parts).some((part) => !part.functionResponse),
  );
  return contents.flatMap(({ parts }, index) => {
    const calls = objects(parts).filter((part) => part.functionCall);
    const [first, ...others] = calls;
    if (!first) return [];
    const copied = others.some(
      (call) => call.thoughtSignature !== undefined && call.thoughtSignature === first.thoughtSignature,
    );
    return [
      ...(index > asked && !first.thoughtSignature ? [`contents.${index}: missing thought_signature`] : []),
      ...(copied ? [`contents.${index}: a copied thought_signature`] : []),
    ];
  });
}

const members = (content: JsonObject, name: string): JsonObject[] =>
  objects(content.parts).flatMap((part) => (isObject(part[name]) ? [part[name]] : []));

function problemsOfTools(body: JsonObject): string[] {
  if (body.tools === undefined) return body.toolConfig === undefined ? [] : ['toolConfig: without tools'];
  const tools = objects(body.tools);
  const declarations = tools.flatMap((tool) => objects(tool.functionDeclarations));
  const names = declarations.map(({ name }) => String(name));
  const twice = names.filter((name, index) => names.indexOf(name) !== index).map((name) => `tools: ${name} twice`);
  const allowed =
    JSON.stringify(body.toolConfig ?? {})
      .match(/"allowedFunctionNames":\["([^\]]*)"\]/)?.[1]
      ?.split('","') ?? [];
  return [
    ...(tools.length === 0 ? ['tools: empty'] : []),
    ...twice,
    ...allowed.filter((name) => !names.includes(name)).map((name) => `toolConfig: ${name} is not declared`),
    ...declarations.flatMap((declaration, index) => problemsOfDeclaration(declaration, `functions.${index}`)),
  ];
}

function problemsOfDeclaration(declaration: JsonObject, at: string): string[] {
  const { name, parameters, parametersJsonSchema } = declaration;
  const problems = [...unknownFields(declaration, DECLARATION, at), ...problemsOfName(name, at)];
  if (parameters !== undefined && parametersJsonSchema !== undefined) problems.push(`${at}: two schemas`);
  if (isObject(parameters)) {
    if (parameters.type !== 'OBJECT') problems.push(`${at}.parameters: not an object`);
    problems.push(...problemsOfSchema(parameters, `${at}.parameters`));
  }
  if (isObject(parametersJsonSchema)) {
    if (parametersJsonSchema.type !== 'object') problems.push(`${at}.parametersJsonSchema: not an object`);
    problems.push(...problemsOfJsonSchema(parametersJsonSchema, `${at}.parametersJsonSchema`));
  }
  return problems;
}

const problemsOfName = (name: JsonValue | undefined, at: string): string[] =>
  typeof name === 'string' && NAME.test(name) ? [] : [`${at}.name: ${String(name)}`];

/** The subset of OpenAPI, as the strictest endpoint (Vertex) reads it. */
function problemsOfSchema(schema: JsonObject, at: string): string[] {
  const problems = unknownFields(schema, SCHEMA, at);
  const { type, anyOf, items, properties, required, enum: choices, format } = schema;
  if (anyOf !== undefined) {
    if (Object.keys(schema).length > 1) problems.push(`${at}: more than anyOf`);
    return [
      ...problems,
      ...objects(anyOf).flatMap((branch, index) => problemsOfSchema(branch, `${at}.anyOf.${index}`)),
    ];
  }
  if (!TYPES.has(String(type))) problems.push(`${at}.type: ${JSON.stringify(type)}`);
  if (type === 'ARRAY' && !isObject(items)) problems.push(`${at}.items: missing`);
  if (
    Array.isArray(choices) &&
    (type !== 'STRING' || choices.some((choice) => typeof choice !== 'string' || choice === ''))
  ) {
    problems.push(`${at}.enum: ${JSON.stringify(choices)}`);
  }
  if (format !== undefined && !FORMATS.has(String(format))) problems.push(`${at}.format: ${String(format)}`);
  const known = isObject(properties) ? Object.keys(properties) : [];
  if (Array.isArray(required) && required.some((name) => !known.includes(String(name))))
    problems.push(`${at}.required`);
  if (isObject(items)) problems.push(...problemsOfSchema(items, `${at}.items`));
  return [...problems, ...known.flatMap((name) => inside(properties, name, at, problemsOfSchema))];
}

function problemsOfJsonSchema(schema: JsonObject, at: string): string[] {
  const problems = unknownFields(schema, JSON_SCHEMA, at);
  if (schema.$ref !== undefined && Object.keys(schema).length > 1) problems.push(`${at}: more than $ref`);
  const lists = [...objects(schema.anyOf), ...objects(schema.prefixItems)];
  const singles = [schema.items, schema.additionalProperties].filter(isObject);
  problems.push(...[...lists, ...singles].flatMap((one, index) => problemsOfJsonSchema(one, `${at}.${index}`)));
  const named = [schema.properties, schema.$defs].filter(isObject);
  const inner = named.flatMap((one) => Object.keys(one).flatMap((name) => inside(one, name, at, problemsOfJsonSchema)));
  return [...problems, ...inner];
}

function inside(
  named: JsonValue | undefined,
  name: string,
  at: string,
  check: (schema: JsonObject, at: string) => string[],
): string[] {
  const schema = isObject(named) ? named[name] : undefined;
  return isObject(schema) ? check(schema, `${at}.${name}`) : [`${at}.${name}: no schema`];
}

function problemsOfThinking({ thinkingConfig }: JsonObject): string[] {
  if (!isObject(thinkingConfig)) return [];
  const both = thinkingConfig.thinkingBudget !== undefined && thinkingConfig.thinkingLevel !== undefined;
  return both ? ['thinkingConfig: both a budget and a level'] : [];
}

const unknownFields = (of: JsonObject, known: ReadonlySet<string>, at: string): string[] =>
  Object.keys(of)
    .filter((key) => of[key] !== undefined && !known.has(key))
    .map((key) => `${at}: unknown field ${key}`);

const objects = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
