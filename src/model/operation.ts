import type { CallContext } from './call.ts';
import type { AnswerPiece } from './event.ts';
import type { JsonObject } from './json.ts';
import type { Usage } from './usage.ts';

/** What a provider may be asked for beside a chat; the original's own names, which stand in logs and `allowed_requests`. */
export type OperationKind =
  | 'text_completion'
  | 'embedding'
  | 'image_generation'
  | 'image_edit'
  | 'image_variation'
  | 'speech'
  | 'transcription'
  | 'translation'
  | 'rerank'
  | 'responses_compact'
  | StoredKind
  | 'passthrough';

/** What is asked of a provider about things that it keeps: its account knows them, no model does. */
export type StoredKind =
  | 'responses_retrieve'
  | 'responses_delete'
  | 'responses_cancel'
  | 'responses_input_items'
  | 'file_upload'
  | 'file_list'
  | 'file_retrieve'
  | 'file_delete'
  | 'file_content'
  | 'batch_create'
  | 'batch_list'
  | 'batch_retrieve'
  | 'batch_cancel';

/** An operation as it is logged and allowed: streams have a name of their own. */
export type OperationName = OperationKind | `${OperationKind}_stream`;

export const operationName = (kind: OperationKind, stream: boolean): OperationName =>
  stream ? `${kind}_stream` : kind;

/** The wire formats of operations. What each one's bodies look like depends on the operation. */
export type OperationFormat =
  | 'openai'
  | 'gemini'
  | 'gemini-batch'
  | 'imagen'
  | 'vertex'
  | 'vertex-predict'
  | 'vertex-rank'
  | 'cohere'
  | 'cohere-bedrock'
  | 'titan'
  | 'nova'
  | 'stability'
  | 'huggingface'
  | 'elevenlabs'
  | 'replicate';

/** A file of a multipart body. */
export interface PayloadFile {
  readonly field: string;
  readonly fileName: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A client's body as it came: JSON or a form. */
export interface Payload {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** The bytes with another model name, gateway-only fields cut out, and `members` (JSON text such as `"a":1`) put in. */
  withModel(model: string, members?: string): Uint8Array;
  /** Parsed on first use; of a form, its text fields. Throws GatewayError('invalid-request'). */
  readonly fields: JsonObject;
  /** Empty but for forms. */
  readonly files: readonly PayloadFile[];
  /** Where the body is still coming: all of it, while `bytes` is only how it begins. */
  readonly upload?: Upload;
}

/** A body that travels on while it comes. */
export interface Upload {
  /** In bytes, where the client says. */
  readonly length: number | undefined;
  /** True once a piece of it was taken: it cannot be sent again. */
  readonly isBegun: boolean;
  /** Its pieces, once: the client is asked for more as they are taken. Throws GatewayError('cancelled') when it goes away. */
  pieces(): AsyncGenerator<Uint8Array, void>;
}

export interface OperationRequest {
  readonly kind: OperationKind;
  /** The format that the client speaks. */
  readonly format: OperationFormat;
  /** As the client asked for it: `openai/text-embedding-3-small`. */
  readonly model: string;
  readonly stream: boolean;
  readonly fallbacks: readonly string[];
  readonly payload: Payload;
  /** Where the client's own URL leads, for operations that are forwarded: query included. */
  readonly forwarded?: Forwarded;
}

export interface Forwarded {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** The client's own headers, for answers that come back untouched too. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A piece of an answer. The first says what it is; the last, where the provider told, what it took. */
export interface OperationFrame extends AnswerPiece {
  /** On the first frame only. */
  readonly contentType?: string;
  /** On the first frame of an answer that is passed on as it is, whatever it is. */
  readonly head?: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
  /** True of an answer that is this one frame. */
  readonly isWhole?: boolean;
  readonly bytes: Uint8Array;
  /** In place of `bytes`: a whole answer that was translated into the client's format. */
  readonly translated?: JsonObject;
  /** True of events that were put together here: each tells the original's account of the call. */
  readonly isConverted?: true;
  readonly usage?: Usage;
  /** Of sound, where the provider counts those. */
  readonly seconds?: number;
}

/** An operation on its way, as a `ModelCall` is a chat. Iteration throws GatewayError. */
export type OperationCall = (request: OperationRequest, context: CallContext) => AsyncIterable<OperationFrame>;
