import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { FormPayload } from '../codecs/operations/form.ts';
import { rawPayload } from '../codecs/operations/raw-payload.ts';
import { readOperation } from '../codecs/operations/read-operation.ts';
import { requireParts } from '../codecs/operations/required.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import type { OperationRequest, Payload } from '../model/operation.ts';
import { isInference, type PassthroughRoute } from './passthrough-routes.ts';
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

/** Headers that hold the client's own credentials, or speak of this hop or this gateway only. */
const NOT_PASSED =
  /^(?:authorization|proxy-.*|x-api-key|x-goog-api-key|api-key|cookie|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|content-length|content-encoding|expect|openai-organization|openai-project|x-bf-.*|x-model-provider)$/;

/** What a client asks of a provider in the provider's own words. Throws GatewayError('permission') where that is no inference. */
export async function askedUntouched(
  { provider, codec, path }: PassthroughRoute,
  request: IncomingMessage,
  maxBodyBytes: number,
): Promise<OperationRequest> {
  const { method = 'GET', headers, url = '' } = request;
  if (!isInference(method, path)) {
    request.resume();
    throw new GatewayError('permission', `${method} ${path} is not passed through: only POST of inference is`);
  }
  const named = headerText(headers['x-model-provider']);
  if (named !== undefined && named.toLowerCase() !== provider) {
    request.resume();
    throw new GatewayError(
      'permission',
      `x-model-provider "${named}" cannot be asked here: this route is ${provider}'s`,
    );
  }
  const bytes = await requestBody(request, maxBodyBytes);
  const body = parsed(bytes);
  const model = /\/models\/([^:]+):/.exec(path)?.[1] ?? (typeof body?.model === 'string' ? body.model : '');
  const mark = url.indexOf('?');
  return {
    kind: 'passthrough',
    format: codec === 'gemini' ? 'gemini' : 'openai',
    model: `${provider}/${model}`,
    stream: body?.stream === true || path.endsWith(':streamGenerateContent'),
    fallbacks: [],
    payload: rawPayload(headers['content-type'] ?? 'application/json', bytes),
    forwarded: {
      method: 'POST',
      path: `${path}${mark < 0 ? '' : withoutKey(url.slice(mark))}`,
      headers: passed(headers),
    },
  };
}

/** Google's clients may show their key in the query. */
const withoutKey = (query: string): string => {
  const kept = query
    .slice(1)
    .split('&')
    .filter((entry) => !/^key=/.test(entry));
  return kept.length > 0 ? `?${kept.join('&')}` : '';
};

function passed(headers: IncomingHttpHeaders): Record<string, string> {
  const named = new Set((headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (value === undefined || named.has(name) || NOT_PASSED.test(name)) return [];
      return [[name, Array.isArray(value) ? value.join(', ') : value]];
    }),
  );
}

const headerText = (value: string | string[] | undefined): string | undefined =>
  (Array.isArray(value) ? value[0] : value) || undefined;
