import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type FormBeginning, FormPayload, formBeginning } from '../codecs/operations/form.ts';
import { rawPayload, uploadedPayload } from '../codecs/operations/raw-payload.ts';
import { GatewayError } from '../model/errors.ts';
import { parsedObject } from '../model/json.ts';
import type { OperationRequest, Payload } from '../model/operation.ts';
import { headerText } from './asked-operation.ts';
import { IncomingUpload, KEPT_BYTES } from './incoming-upload.ts';
import { requestBody } from './request-body.ts';
import type { StoredRoute } from './stored-routes.ts';

interface StoreOptions {
  readonly maxBodyBytes: number;
  readonly ownerOf: (responseId: string) => string | undefined;
}

/**
 * What a client asks of a provider's store. The provider is named in the query, a header or the body; for a response,
 * whoever made it is known. Throws GatewayError that says how to name it.
 */
export async function askedOfStore(
  { operation, method, path, responseId }: StoredRoute,
  request: IncomingMessage,
  response: ServerResponse,
  { maxBodyBytes, ownerOf }: StoreOptions,
): Promise<OperationRequest> {
  const query = new URL(request.url ?? '/', 'http://gateway').searchParams;
  const named = query.get('provider') ?? headerText(request.headers['x-model-provider']);
  const given =
    operation === 'file_upload' && mayTravel(request, maxBodyBytes)
      ? await uploadedForm(new IncomingUpload(request, response, lengthOf(request), maxBodyBytes), request, named)
      : storePayload(await requestBody(request, maxBodyBytes), request.headers);
  const provider = named ?? given.provider ?? (responseId === undefined ? undefined : ownerOf(responseId));
  if (!provider) throw unnamed(operation, responseId);
  query.delete('provider');
  const rest = query.size > 0 ? `?${query}` : '';
  return {
    kind: operation,
    format: 'openai',
    model: `${provider}/`,
    stream: query.get('stream') === 'true',
    fallbacks: [],
    payload: given.payload,
    forwarded: { method, path: `${path}${rest}` },
  };
}

const unnamed = (operation: string, responseId: string | undefined): GatewayError =>
  new GatewayError(
    'invalid-request',
    responseId === undefined
      ? `${operation} needs to know the provider: add ?provider=openai to the URL`
      : `${operation}: response "${responseId}" was not made through this gateway since it started; add ?provider=openai to the URL`,
    { param: 'provider' },
  );

interface StoreBody {
  readonly payload: Payload;
  readonly provider?: string;
}

const FORM = /^\s*multipart\/form-data/i;

const contentTypeOf = ({ 'content-type': contentType = 'application/json' }: IncomingHttpHeaders): string =>
  contentType;

const lengthOf = ({ headers }: IncomingMessage): number | undefined =>
  headers['content-length'] === undefined ? undefined : Number(headers['content-length']);

/** Whether a form is worth sending on while it comes; one that says to be too large is refused before. */
function mayTravel(request: IncomingMessage, maxBodyBytes: number): boolean {
  const { 'content-encoding': encoding = 'identity' } = request.headers;
  const length = lengthOf(request) ?? Number.POSITIVE_INFINITY;
  const isLarge = length > KEPT_BYTES && (length <= maxBodyBytes || length === Number.POSITIVE_INFINITY);
  return isLarge && encoding === 'identity' && FORM.test(contentTypeOf(request.headers));
}

/** What may stand in front of a form's file. */
const MOST_BEGINNING_BYTES = 64 * 1024;

/**
 * A form on its way: only what stands in front of its file is waited for. Where that does not name the provider, all of
 * the form is, as it may do so behind the file.
 */
async function uploadedForm(
  upload: IncomingUpload,
  { headers }: IncomingMessage,
  named: string | undefined,
): Promise<StoreBody> {
  const contentType = contentTypeOf(headers);
  // one that does not say its length may be small enough to be kept
  const leastBytes = upload.length === undefined ? KEPT_BYTES + 1 : 0;
  let beginning: FormBeginning | undefined;
  while (upload.heldBytes < Math.max(leastBytes, beginning ? 0 : MOST_BEGINNING_BYTES) && (await upload.more())) {
    beginning = formBeginning(contentType, upload.begun());
  }
  const provider = named ?? textIn(beginning?.fields.provider);
  if (beginning && provider !== undefined && !upload.isComplete) {
    const { fields, file, bytes } = beginning;
    upload.replaceBegun(bytes);
    const { provider: _ours, ...others } = fields;
    const files = [{ ...file, bytes: NOTHING }];
    return { payload: { ...uploadedPayload(contentType, bytes, upload), fields: others, files }, provider };
  }
  while (await upload.more());
  return storePayload(upload.begun(), headers);
}

const NOTHING = new Uint8Array(0);

const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The body without the name of the provider, which is ours to read. */
function storePayload(bytes: Buffer, headers: IncomingHttpHeaders): StoreBody {
  const contentType = contentTypeOf(headers);
  if (FORM.test(contentType)) {
    const payload = new FormPayload(contentType, bytes);
    const { provider } = payload.fields;
    return { payload, ...(typeof provider === 'string' && { provider }) };
  }
  // what cannot be read here the provider will judge
  const body = parsedObject(bytes.toString('utf8'));
  if (typeof body?.provider !== 'string') return { payload: rawPayload(contentType, bytes) };
  const { provider, ...rest } = body;
  return { payload: rawPayload(contentType, Buffer.from(JSON.stringify(rest))), provider };
}
