import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { FormPayload } from '../codecs/operations/form.ts';
import { rawPayload } from '../codecs/operations/raw-payload.ts';
import { readOperation } from '../codecs/operations/read-operation.ts';
import { requireParts } from '../codecs/operations/required.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { OperationRequest, Payload } from '../model/operation.ts';
import { requestBody } from './request-body.ts';
import type { OperationRoute } from './routes.ts';
import type { StoredRoute } from './stored-routes.ts';

/** The most that sound to transcribe may take (OpenAI API reference, audio/transcriptions), and the form around it. */
const MOST_SOUND_BYTES = 25 * 1024 * 1024 + 64 * 1024;

/** What a client asks on a route of its own. Throws GatewayError. */
export async function askedOperation(
  { kind, format, url }: OperationRoute,
  request: IncomingMessage,
  maxBodyBytes: number,
): Promise<OperationRequest> {
  const isSound = kind === 'transcription' || kind === 'translation';
  const bytes = await requestBody(request, isSound ? Math.min(MOST_SOUND_BYTES, maxBodyBytes) : maxBodyBytes);
  const contentType = request.headers['content-type'];
  return requireParts(readOperation({ kind, format, contentType, bytes, said: url?.said, azure: url?.azure }));
}

/**
 * What a client asks of a provider's store. The provider is named in the query, a header or the body; for a response,
 * whoever made it is known. Throws GatewayError that says how to name it.
 */
export async function askedOfStore(
  { operation, method, path, responseId }: StoredRoute,
  request: IncomingMessage,
  { maxBodyBytes, ownerOf }: { maxBodyBytes: number; ownerOf: (responseId: string) => string | undefined },
): Promise<OperationRequest> {
  const query = new URL(request.url ?? '/', 'http://gateway').searchParams;
  const { payload, provider: said } = storePayload(await requestBody(request, maxBodyBytes), request.headers);
  const named = query.get('provider') ?? headerText(request.headers['x-model-provider']) ?? said;
  const provider = named ?? (responseId === undefined ? undefined : ownerOf(responseId));
  if (!provider) throw unnamed(operation, responseId);
  query.delete('provider');
  const rest = query.size > 0 ? `?${query}` : '';
  return {
    kind: operation,
    format: 'openai',
    model: `${provider}/`,
    stream: query.get('stream') === 'true',
    fallbacks: [],
    payload,
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

/** The body without the name of the provider, which is ours to read. */
function storePayload(bytes: Buffer, headers: IncomingHttpHeaders): { payload: Payload; provider?: string } {
  const contentType = headers['content-type'] ?? 'application/json';
  if (/^\s*multipart\/form-data/i.test(contentType)) {
    const payload = new FormPayload(contentType, bytes);
    const { provider } = payload.fields;
    return { payload, ...(typeof provider === 'string' && { provider }) };
  }
  const body = parsed(bytes);
  if (typeof body?.provider !== 'string') return { payload: rawPayload(contentType, bytes) };
  const { provider, ...rest } = body;
  return { payload: rawPayload(contentType, Buffer.from(JSON.stringify(rest))), provider };
}

function parsed(bytes: Buffer): JsonObject | undefined {
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(body) ? body : undefined;
  } catch {
    // the provider will say what it thinks of it
    return undefined;
  }
}

export const headerText = (value: string | string[] | undefined): string | undefined =>
  (Array.isArray(value) ? value[0] : value) || undefined;
