import { Ledger } from '../../codecs/ledger.ts';
import { hasEvents } from '../../codecs/operations/answer-events.ts';
import { embeddingTranslation } from '../../codecs/operations/embedding.ts';
import { imageTranslation } from '../../codecs/operations/image.ts';
import { rerankTranslation } from '../../codecs/operations/rerank.ts';
import { speechTranslation } from '../../codecs/operations/speech.ts';
import { transcriptionTranslation } from '../../codecs/operations/transcription.ts';
import { type SentBodies, type SentBody, SentFile, type Translation } from '../../codecs/operations/translation.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { OperationFormat, OperationKind, OperationRequest } from '../../model/operation.ts';
import { operationName } from '../../model/operation.ts';
import type { Deployment, OperationWire } from '../provider.ts';

/** An operation as it leaves. */
export interface OutgoingOperation {
  readonly wire: OperationWire;
  readonly contentType: string;
  readonly body: Uint8Array | string;
  /** Bodies to be asked for beside it, where the provider takes less at once than the client asked for. */
  readonly others?: readonly (Uint8Array | string)[];
  /** Absent when the client may have the answer's bytes as they are. */
  readonly translation?: Translation;
  readonly losses: readonly Loss[];
}

type TranslationOf = (from: OperationFormat, to: OperationFormat) => Translation | undefined;

const TRANSLATIONS: Readonly<Partial<Record<OperationKind, TranslationOf>>> = {
  embedding: embeddingTranslation,
  rerank: rerankTranslation,
  speech: speechTranslation,
  transcription: transcriptionTranslation,
  translation: transcriptionTranslation,
  image_generation: imageTranslation,
  image_edit: imageTranslation,
};

const NO_LOSSES: readonly Loss[] = Object.freeze([]);

const INCLUDE_USAGE = '"stream_options":{"include_usage":true}';

/** Writes `request` for a deployment, in the client's own format where it is spoken there. Throws GatewayError. */
export function outgoingOperation(deployment: Deployment, request: OperationRequest, model: string): OutgoingOperation {
  if (request.kind === 'passthrough') return untouched(request);
  const wires = (deployment.operations?.[request.kind] ?? []).filter(({ serves }) => serves?.(model) ?? true);
  const same = wires.find(({ format }) => format === request.format);
  if (same) {
    refuseStream(same, deployment, request);
    const body = request.payload.upload ? NOTHING : ownBody(deployment, request, model);
    return { wire: same, contentType: request.payload.contentType, body, losses: NO_LOSSES };
  }
  for (const wire of wires) {
    const translation = TRANSLATIONS[request.kind]?.(request.format, wire.format);
    if (translation) return translated(wire, translation, deployment, request, model);
  }
  const others = deployment.operations?.[request.kind] && wires.length === 0 ? model : undefined;
  const refusal = unsupported(operationName(request.kind, request.stream), deployment.name, others);
  throw request.kind === 'text_completion' && !deployment.chatless ? withAdvice(refusal) : refusal;
}

/** Who only chats can be asked all the same. */
const withAdvice = ({ kind, message, details }: GatewayError): GatewayError =>
  new GatewayError(
    kind,
    `${message}, or have it asked as a chat: client.compat.convert_text_to_chat, or the header "x-bf-compat: true"`,
    details,
  );

/** What is still coming travels beside it. */
const NOTHING = new Uint8Array(0);

const untouched = (request: OperationRequest): OutgoingOperation => ({
  wire: { format: request.format, path: () => '' },
  contentType: request.payload.contentType,
  body: request.payload.upload ? NOTHING : request.payload.bytes,
  losses: NO_LOSSES,
});

/** `model`: where others of the same provider can do it. */
export const unsupported = (operation: string, provider: string, model?: string): GatewayError =>
  new GatewayError(
    'invalid-request',
    `${operation} is not supported by ${provider} provider${model === undefined ? '' : ` with ${model}`}; name one that offers it`,
    {
      provider,
      code: 'unsupported_operation',
    },
  );

function refuseStream(wire: OperationWire, { name }: Deployment, { kind, stream }: OperationRequest): void {
  if (stream && wire.streams === false) throw unsupported(operationName(kind, true), name);
}

function translated(
  wire: OperationWire,
  translation: Translation,
  deployment: Deployment,
  request: OperationRequest,
  model: string,
): OutgoingOperation {
  if (request.stream && !hasEvents(request.kind)) throw unsupported(operationName(request.kind, true), deployment.name);
  const ledger = new Ledger();
  const sent = translation.request(request, model, ledger);
  const [first, ...others] = isSeveral(sent) ? sent : [sent];
  return {
    wire,
    translation,
    contentType: first instanceof SentFile ? first.contentType : 'application/json',
    body: textOrBytes(first),
    ...(others.length > 0 && { others: others.map(textOrBytes) }),
    losses: ledger.losses,
  };
}

const isSeveral = (sent: SentBody | SentBodies): sent is SentBodies => Array.isArray(sent);

const textOrBytes = (sent: SentBody): Uint8Array | string =>
  sent instanceof SentFile ? sent.bytes : JSON.stringify(sent);

/** The client's own bytes with the model's upstream name. */
function ownBody(deployment: Deployment, request: OperationRequest, model: string): Uint8Array | string {
  const { payload, kind, stream } = request;
  if (request.format === 'gemini-batch') return namedInEach(payload.fields, model) ?? payload.withModel(model);
  const asksUsage = kind === 'text_completion' && stream && deployment.streamOptions !== false;
  return payload.withModel(model, asksUsage && !('stream_options' in payload.fields) ? INCLUDE_USAGE : undefined);
}

/** Each request of a batch repeats the model of the path; undefined when they say the right name already. */
function namedInEach(fields: JsonObject, model: string): string | undefined {
  const name = model.includes('/') ? model : `models/${model}`;
  const requests = Array.isArray(fields.requests) ? fields.requests : [];
  if (requests.every((request) => isObject(request) && request.model === name)) return undefined;
  const { model: _model, fallbacks: _fallbacks, ...rest } = fields;
  return JSON.stringify({
    ...rest,
    requests: requests.map((request) => (isObject(request) ? { ...request, model: name } : request)),
  });
}
