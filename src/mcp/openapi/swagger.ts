import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];
const JSON_TYPE = 'application/json';
const FORM_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/**
 * A Swagger 2.0 document in the form of OpenAPI 3, as far as tools are made of it. References keep working: they point
 * to where the things were, and there they still are.
 */
export function upgraded(document: JsonObject): JsonObject {
  const { host, basePath, schemes, securityDefinitions, paths, swagger, ...rest } = document;
  return {
    ...rest,
    openapi: '3.0.3',
    'x-swagger': swagger ?? null,
    servers: serversOf(host, basePath, schemes),
    components: { securitySchemes: mapped(securityDefinitions, securityScheme) },
    paths: mapped(paths, (path) => upgradedPath(path, document)),
  };
}

function serversOf(host?: JsonValue, basePath?: JsonValue, schemes?: JsonValue): JsonValue[] {
  const path = typeof basePath === 'string' ? basePath : '/';
  if (typeof host !== 'string') return [{ url: path }];
  const offered = Array.isArray(schemes) ? schemes.map(String) : ['https'];
  return [{ url: `${offered.includes('https') ? 'https' : (offered[0] ?? 'https')}://${host}${path}` }];
}

function securityScheme(scheme: JsonObject): JsonObject {
  return scheme.type === 'basic' ? { ...scheme, type: 'http', scheme: 'basic' } : scheme;
}

function upgradedPath(path: JsonObject, document: JsonObject): JsonObject {
  const shared = upgradedParameters(path.parameters, document);
  return Object.fromEntries(
    Object.entries(path).map(([key, value]) => {
      if (key === 'parameters') return [key, shared.parameters];
      return [key, METHODS.includes(key) && isObject(value) ? upgradedOperation(value, path, document) : value];
    }),
  );
}

function upgradedOperation(operation: JsonObject, path: JsonObject, document: JsonObject): JsonObject {
  const own = upgradedParameters(operation.parameters, document);
  const shared = upgradedParameters(path.parameters, document);
  const consumes = stringsOf(operation.consumes) ?? stringsOf(document.consumes) ?? [];
  const body = own.body ?? shared.body;
  const form = [...shared.form, ...own.form];
  const requestBody = body ? bodyOf(body, consumes) : form.length > 0 ? formOf(form, consumes) : undefined;
  return { ...operation, parameters: own.parameters, ...(requestBody && { requestBody }) };
}

interface Parameters {
  readonly parameters: JsonObject[];
  readonly form: JsonObject[];
  body?: JsonObject;
}

function upgradedParameters(given: JsonValue | undefined, document: JsonObject): Parameters {
  const result: Parameters = { parameters: [], form: [] };
  for (const entry of Array.isArray(given) ? given : []) {
    const parameter = isObject(entry) ? sharedParameter(entry, document) : {};
    if (parameter.in === 'body') result.body = parameter;
    else if (parameter.in === 'formData') result.form.push(parameter);
    else result.parameters.push(upgradedParameter(parameter));
  }
  return result;
}

function sharedParameter(entry: JsonObject, { parameters }: JsonObject): JsonObject {
  const name = typeof entry.$ref === 'string' ? /^#\/parameters\/(.+)$/.exec(entry.$ref)?.[1] : undefined;
  const found = name !== undefined && isObject(parameters) ? ownValue(parameters, name) : undefined;
  return isObject(found) ? found : entry;
}

const SCHEMA_WORDS = [
  'type',
  'format',
  'items',
  'default',
  'enum',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
];
const MORE_SCHEMA_WORDS = ['minLength', 'maxLength', 'pattern', 'minItems', 'maxItems', 'uniqueItems', 'multipleOf'];

function schemaOf(parameter: JsonObject): JsonObject {
  const words = [...SCHEMA_WORDS, ...MORE_SCHEMA_WORDS].filter((word) => parameter[word] !== undefined);
  return Object.fromEntries(words.map((word) => [word, parameter[word]]));
}

const STYLES: Readonly<Record<string, JsonObject>> = {
  multi: { style: 'form', explode: true },
  ssv: { style: 'spaceDelimited', explode: false },
  pipes: { style: 'pipeDelimited', explode: false },
};

function upgradedParameter(parameter: JsonObject): JsonObject {
  if (typeof parameter.$ref === 'string') return parameter;
  const { name, description, required } = parameter;
  const isList = parameter.type === 'array';
  const format = typeof parameter.collectionFormat === 'string' ? parameter.collectionFormat : 'csv';
  return {
    name,
    in: parameter.in,
    description,
    required,
    schema: schemaOf(parameter),
    ...(isList && parameter.in === 'query' && (ownValue(STYLES, format) ?? { style: 'form', explode: false })),
  };
}

const bodyOf = (body: JsonObject, consumes: readonly string[]): JsonObject => ({
  description: body.description,
  required: body.required,
  content: { [consumes.find((type) => /json/.test(type)) ?? consumes[0] ?? JSON_TYPE]: { schema: body.schema } },
});

function formOf(form: readonly JsonObject[], consumes: readonly string[]): JsonObject {
  const isFile = form.some(({ type }) => type === 'file');
  const type = isFile ? 'multipart/form-data' : (consumes.find((each) => FORM_TYPES.includes(each)) ?? FORM_TYPES[0]);
  const described = form.map((field) => [String(field.name), { ...schemaOf(field), description: field.description }]);
  const required = form.filter((field) => field.required === true).map(({ name }) => String(name));
  const schema = { type: 'object', properties: Object.fromEntries(described), required };
  return { required: required.length > 0, content: { [type ?? JSON_TYPE]: { schema } } };
}

const stringsOf = (value: JsonValue | undefined): string[] | undefined =>
  Array.isArray(value) ? value.map(String) : undefined;

const mapped = (value: JsonValue | undefined, change: (entry: JsonObject) => JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).map(([name, entry]) => [
      name,
      isObject(entry) ? change(entry) : entry,
    ]),
  );
