import type { Translation } from '../../codecs/operations/translation.ts';
import type { CallContext } from '../../model/call.ts';
import { GatewayError } from '../../model/errors.ts';
import { type OperationRequest, operationName } from '../../model/operation.ts';
import type { Cancellation } from '../cancellation.ts';
import type { DirectResponse } from '../direct-response.ts';
import type { CallTarget } from '../target.ts';
import { tooLate, type Upstream, type UpstreamCall, type UpstreamTarget } from '../upstream.ts';
import type { OutgoingOperation } from './outgoing.ts';
import { passthroughUrl } from './passthrough.ts';
import { Patience, patiently } from './patience.ts';
import { whenComplete } from './pending.ts';
import { readAnswer } from './whole-answer.ts';

/** One operation on its way to one target: what each of its steps needs. */
export interface Asking {
  readonly target: CallTarget;
  readonly upstreamTarget: UpstreamTarget;
  readonly upstream: Upstream;
  readonly request: OperationRequest;
  readonly sent: OutgoingOperation;
  readonly context: CallContext;
  /** Of the whole operation; each request of it may have one of its own. */
  readonly cancellation: Cancellation;
}

export type Ask = (body: Uint8Array | string, cancellation: Cancellation) => Promise<DirectResponse>;

/** Sends one body of an operation: answered in time, with any status, and with the time that it took noted. */
export function asker(asking: Asking): Ask {
  const { upstreamTarget, request, context } = asking;
  const { upload } = request.payload;
  const url = urlOf(asking);
  const headers = headersOf(asking);
  const wishes = wishesOf(asking, url);
  return async (body, cancellation) => {
    const patience = new Patience(upstreamTarget.timeoutMs, () => cancellation.fire(tooLate(upstreamTarget)));
    const onFailure = (reason: Error) => cancellation.fire(reason);
    const all = upload ? { ...wishes, upload: patiently(upload, patience, onFailure) } : wishes;
    const askedAtMs = performance.now();
    try {
      return await dispatched(asking, url, body, { headers, ...(all && { wishes: all }), cancellation });
    } finally {
      patience.end();
      context.trace.upstreamMs += performance.now() - askedAtMs;
    }
  };
}

/** An answer that was begun only, once it is complete; for that it has the time of one that comes whole. */
export async function completed(
  { upstream, upstreamTarget, cancellation }: Asking,
  begun: DirectResponse,
  pendingAt: NonNullable<Translation['pendingAt']>,
  checked: (answer: DirectResponse) => DirectResponse,
): Promise<DirectResponse> {
  const patience = new Patience(upstreamTarget.timeoutMs, () => cancellation.fire(tooLate(upstreamTarget)));
  const root = serverRoot(upstreamTarget.baseUrl);
  try {
    return await whenComplete(begun, {
      pendingAt: (answer) => pendingAt(readAnswer(answer, upstreamTarget.provider)),
      ask: async (path) => checked(await upstream.get(`${root}${path}`, { headers: {}, cancellation })),
      cancellation,
    });
  } finally {
    patience.end();
  }
}

function dispatched(
  { upstream, request: { kind, forwarded } }: Asking,
  url: string,
  body: Uint8Array | string,
  call: UpstreamCall,
): Promise<DirectResponse> {
  if (forwarded?.method === 'GET') return upstream.get(url, call);
  if (forwarded?.method !== 'DELETE') return upstream.post(url, body, call);
  if (upstream.delete) return upstream.delete(url, call);
  throw new GatewayError('invalid-request', `${kind} cannot be asked of this provider: nothing can be deleted there`);
}

/** Sound and files are long and used while they come; what is passed through is nobody's to read. */
function wishesOf({ request: { kind }, sent }: Asking, url: string): UpstreamCall['wishes'] {
  if (kind === 'passthrough') return { answerMode: 'untouched', exactUrl: url };
  const isLong = kind === 'speech' || kind === 'file_content';
  return isLong && !sent.translation?.answer ? { answerMode: 'streamed' } : undefined;
}

function urlOf({ target, upstreamTarget, request, sent: { wire } }: Asking): string {
  const { provider, model } = target;
  const configured = provider.operationUrl?.(operationName(request.kind, request.stream));
  if (configured !== undefined) return configured;
  if (request.kind === 'passthrough') return passthroughUrl(upstreamTarget.baseUrl, request);
  const path = wire.path(model, request, upstreamTarget);
  return wire.atRoot ? `${serverRoot(upstreamTarget.baseUrl)}${path}` : path;
}

/** A base URL without the path of the API version, or of the API that imitates OpenAI's. */
const serverRoot = (baseUrl: string): string =>
  baseUrl.replace(/\/+$/, '').replace(/(?:\/compatibility)?\/v\d+\w*$/, '');

/** Headers of one request; Anthropic's own mean nothing here. */
function headersOf({ upstreamTarget, request, sent, context }: Asking): Readonly<Record<string, string>> {
  const { forwarded, payload } = request;
  if (forwarded?.headers) return forwarded.headers;
  const headers: Record<string, string> = { 'content-type': sent.contentType, ...sent.wire.headers?.(upstreamTarget) };
  if (payload.upload?.length !== undefined) headers['content-length'] = String(payload.upload.length);
  for (const [name, value] of Object.entries(context.caller.forwardHeaders)) {
    if (!name.startsWith('anthropic-')) headers[name] = value;
  }
  return headers;
}
