import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { rawPayload, uploadedPayload } from '../codecs/operations/raw-payload.ts';
import { membersSoFar } from '../codecs/scan.ts';
import { GatewayError } from '../model/errors.ts';
import { parsedJson } from '../model/json.ts';
import type { OperationRequest, Payload } from '../model/operation.ts';
import { headerText } from './asked-operation.ts';
import { IncomingUpload, KEPT_BYTES } from './incoming-upload.ts';
import { isInference, type PassthroughRoute } from './passthrough-routes.ts';
import { requestBody } from './request-body.ts';

/** Headers that hold the client's own credentials, or speak of this hop or this gateway only. */
const NOT_PASSED =
  /^(?:authorization|proxy-.*|x-api-key|x-goog-api-key|api-key|cookie|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|content-length|expect|openai-organization|openai-project|x-bf-.*|x-model-provider)$/;

/** What a client asks of a provider in the provider's own words. Throws GatewayError('permission') where that is no inference. */
export async function askedUntouched(
  { provider, codec, path }: PassthroughRoute,
  request: IncomingMessage,
  response: ServerResponse,
  maxBodyBytes: number,
): Promise<OperationRequest> {
  const { method = 'GET', headers, url = '' } = request;
  const refusal = refusalOf(provider, method, path, headers);
  if (refusal) {
    request.resume();
    throw refusal;
  }
  const modelInPath = /\/models\/([^:]+):/.exec(path)?.[1];
  const { payload, said } = await bodyOf(request, response, modelInPath !== undefined, maxBodyBytes);
  const mark = url.indexOf('?');
  return {
    kind: 'passthrough',
    format: codec === 'gemini' ? 'gemini' : 'openai',
    model: `${provider}/${modelInPath ?? said.model ?? ''}`,
    stream: said.stream === true || path.endsWith(':streamGenerateContent'),
    fallbacks: [],
    payload,
    forwarded: {
      method: 'POST',
      path: `${path}${mark < 0 ? '' : withoutKey(url.slice(mark))}`,
      headers: passed(headers, payload),
    },
  };
}

function refusalOf(
  provider: string,
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
): GatewayError | undefined {
  if (!isInference(method, path)) {
    return new GatewayError('permission', `${method} ${path} is not passed through: only POST of inference is`);
  }
  const named = headerText(headers['x-model-provider']);
  if (named === undefined || named.toLowerCase() === provider) return undefined;
  return new GatewayError(
    'permission',
    `x-model-provider "${named}" cannot be asked here: this route is ${provider}'s`,
  );
}

/** What a body says that routing and the log want to know. */
interface Said {
  readonly model?: string;
  readonly stream?: boolean;
}

interface Body {
  readonly payload: Payload;
  readonly said: Said;
}

/** Encodings that are undone here, as they hide what a body says. */
const UNDONE = /^(?:gzip|x-gzip|deflate|br)$/i;

/**
 * A small body whole. A larger one, or one whose size nobody knows, as it comes: only as much of it is waited for as
 * says the model, where the path does not.
 */
async function bodyOf(
  request: IncomingMessage,
  response: ServerResponse,
  isModelKnown: boolean,
  maxBodyBytes: number,
): Promise<Body> {
  const { 'content-type': contentType = 'application/json', 'content-encoding': encoding = 'identity' } =
    request.headers;
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (UNDONE.test(encoding) || (length <= KEPT_BYTES && encoding === 'identity')) {
    const bytes = await requestBody(request, maxBodyBytes);
    return { payload: rawPayload(contentType, bytes), said: saidIn(bytes) };
  }
  const upload = new IncomingUpload(request, response, Number.isNaN(length) ? undefined : length);
  const said = isModelKnown ? {} : await saidBy(upload, maxBodyBytes);
  const bytes = upload.begun();
  if (upload.isComplete) return { payload: rawPayload(contentType, bytes), said };
  return { payload: uploadedPayload(contentType, bytes, upload), said };
}

/** Waits for the model's name, as long as an object is coming and `mostBytes` of it are not passed. */
async function saidBy(upload: IncomingUpload, mostBytes: number): Promise<Said> {
  let read = 0;
  while (await upload.more()) {
    // what was read is read again, so there must be much more of it
    if (upload.heldBytes < read * 2) continue;
    const bytes = upload.begun();
    read = bytes.length;
    const said = saidIn(bytes);
    if (said.model !== undefined || read > mostBytes || bytes.toString('latin1', 0, 64).trimStart()[0] !== '{') {
      return said;
    }
  }
  return saidIn(upload.begun());
}

function saidIn(bytes: Buffer): Said {
  const said: { model?: string; stream?: boolean } = {};
  for (const { key, valueStart, valueEnd } of membersSoFar(bytes)) {
    if (key !== 'model' && key !== 'stream') continue;
    const text = bytes.toString('utf8', valueStart, valueEnd);
    if (key === 'stream') said.stream = text === 'true';
    else said.model = stringIn(text) ?? '';
  }
  return said;
}

function stringIn(json: string): string | undefined {
  // what is no JSON the provider will judge
  const value = parsedJson(json);
  return typeof value === 'string' ? value : undefined;
}

/** Google's clients may show their key in the query. */
const withoutKey = (query: string): string => {
  const kept = query
    .slice(1)
    .split('&')
    .filter((entry) => !/^key=/.test(entry));
  return kept.length > 0 ? `?${kept.join('&')}` : '';
};

/** The client's headers; what was undone of its body is not told, what travels as it comes is. */
function passed(headers: IncomingHttpHeaders, { upload }: Payload): Record<string, string> {
  const named = new Set(
    (headers.connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
  const record = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (value === undefined || named.has(name) || NOT_PASSED.test(name)) return [];
      if (name === 'content-encoding' && !upload) return [];
      return [[name, Array.isArray(value) ? value.join(', ') : value]];
    }),
  );
  return upload?.length === undefined ? record : { ...record, 'content-length': String(upload.length) };
}
