import { GatewayError } from '../../model/errors.ts';
import type { JsonValue } from '../../model/json.ts';
import type { OperationFormat, OperationKind, OperationRequest } from '../../model/operation.ts';
import { azureModel, type NamedByAzure, readBody, refuseLongModel, type SaidByUrl } from '../body.ts';
import { FormPayload } from './form.ts';
import { JsonPayload } from './json-payload.ts';

export interface OperationGiven {
  readonly kind: OperationKind;
  readonly format: OperationFormat;
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
  readonly said?: SaidByUrl | undefined;
  readonly azure?: NamedByAzure | undefined;
}

/** Operations whose body may be a form (OpenAI API reference, images and audio). */
const MAY_BE_FORM: ReadonlySet<OperationKind> = new Set([
  'image_edit',
  'image_variation',
  'transcription',
  'translation',
]);

const FORM = /^\s*multipart\/form-data/i;

/** A form writes it as text, and Python's clients in a way of their own. */
const IS_TRUE = /^(?:true|1)$/i;

/** Reads what routing needs of an operation's body. Throws GatewayError('invalid-request') that says what is wrong. */
export function readOperation({
  kind,
  format,
  contentType = '',
  bytes,
  said,
  azure,
}: OperationGiven): OperationRequest {
  if (MAY_BE_FORM.has(kind) && FORM.test(contentType)) {
    return formOperation(kind, format, new FormPayload(contentType, bytes), azure);
  }
  if (FORM.test(contentType)) throw new GatewayError('invalid-request', `${kind} takes a JSON object, not a form`);
  const { head, source } = readBody(said ? 'gemini' : 'openai-chat', bytes, said, azure);
  const payload = new JsonPayload(source);
  // Speech has a word of its own for streams (OpenAI API reference, audio/speech)
  const stream =
    head.stream || (kind === 'speech' && source.has('stream_format') && source.body.stream_format === 'sse');
  return { kind, format, model: head.model, stream, fallbacks: head.fallbacks, payload };
}

function formOperation(
  kind: OperationKind,
  format: OperationFormat,
  payload: FormPayload,
  azure: NamedByAzure | undefined,
): OperationRequest {
  const { model: named, stream, fallbacks } = payload.fields;
  const model = azure ? azureModel(azure, named) : named;
  if (typeof model !== 'string' || model === '') {
    throw new GatewayError('invalid-request', 'model is required: write provider/model, for example openai/whisper-1', {
      param: 'model',
    });
  }
  refuseLongModel(model);
  return {
    kind,
    format,
    model,
    stream: typeof stream === 'string' && IS_TRUE.test(stream),
    fallbacks: formFallbacks(fallbacks),
    payload,
  };
}

/** A form has them one a field, or as JSON in one. */
function formFallbacks(value: JsonValue | undefined): string[] {
  const texts = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return texts.flatMap((text) => {
    if (typeof text !== 'string') return [];
    const listed: unknown = text.trimStart().startsWith('[') ? parsed(text) : text.split(',');
    if (!Array.isArray(listed)) return [];
    return listed.flatMap((entry: unknown) => (typeof entry === 'string' && entry.includes('/') ? [entry.trim()] : []));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GatewayError('invalid-request', 'fallbacks must be a list of "provider/model"', { param: 'fallbacks' });
  }
}
