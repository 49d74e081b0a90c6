import type { JsonValue } from '../../model/json.ts';
import type { OperationKind, OperationRequest } from '../../model/operation.ts';
import { refuse } from './translation.ts';

type Check = (request: OperationRequest) => void;

/** Without these, no provider can do anything: nobody needs to be asked. What else is wrong, they say in their own words. */
const CHECKS: Readonly<Partial<Record<OperationKind, Check>>> = {
  embedding: holds('input', isInput, 'a text, a list of texts, or token ids'),
  image_generation: holds('prompt', isText, 'what the picture shall show'),
  image_edit: oneOf('a picture to change', 'image', 'images'),
  image_variation: oneOf('a picture to vary', 'image', 'images'),
  speech: holds('input', isText, 'the text to speak'),
  transcription: oneOf('the sound to transcribe', 'file', 'url', 'file_url', 'file_id'),
  translation: oneOf('the sound to translate', 'file', 'url', 'file_url', 'file_id'),
  rerank: both(holds('query', isText, 'what is looked for'), holds('documents', isList, 'a list of texts or {text}')),
};

/** Throws GatewayError('invalid-request') that names what is missing in a body of OpenAI's format. */
export function requireParts(request: OperationRequest): OperationRequest {
  if (request.format === 'openai') CHECKS[request.kind]?.(request);
  return request;
}

function holds(field: string, isGood: (value: JsonValue | undefined) => boolean, what: string): Check {
  return ({ payload }) => {
    if (!isGood(payload.fields[field])) refuse(field, `is required: ${what}`);
  };
}

/** A file of one of these names, or a field that says where it is. */
function oneOf(what: string, ...names: readonly string[]): Check {
  return ({ payload: { files, fields } }) => {
    const isThere = files.some(({ field }) => names.includes(field)) || names.some((name) => isNamed(fields[name]));
    if (!isThere) refuse(names[0] ?? '', `is required: ${what}`);
  };
}

function both(...checks: readonly Check[]): Check {
  return (request) => {
    for (const check of checks) check(request);
  };
}

const isSomething = (value: JsonValue | undefined): boolean => value !== undefined && value !== null;

/** Whatever might be a picture's address or id. */
function isNamed(value: JsonValue | undefined): boolean {
  return isSomething(value) && value !== '' && typeof value !== 'number' && typeof value !== 'boolean';
}

function isText(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && value !== '';
}

function isList(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** What a list holds is the provider's to judge: some embed pictures. */
function isInput(value: JsonValue | undefined): boolean {
  return isText(value) || isList(value);
}
