import type { OperationFrame, OperationRequest } from '../../model/operation.ts';
import type { DirectResponse } from '../direct-response.ts';

/** Headers that speak of one hop only (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers of an answer that may travel on: all but those of the hop, and cookies of an account that is not the client's. */
function passedHeaders(record: Readonly<Record<string, string>>): Record<string, string> {
  const named = new Set(
    (record.connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
  return Object.fromEntries(
    Object.entries(record).filter(([name]) => !HOP_BY_HOP.has(name) && !named.has(name) && name !== 'set-cookie'),
  );
}

/**
 * Where a client's path leads at a provider: its own API version replaces the one of the base URL, a path without a
 * version stands below the base URL.
 */
export function passthroughUrl(baseUrl: string, { forwarded }: OperationRequest): string {
  const path = forwarded?.path ?? '';
  const base = baseUrl.replace(/\/+$/, '');
  return /^\/v\d/.test(path) ? `${base.replace(/\/v\d+\w*$/, '')}${path}` : `${base}${path}`;
}

/** An answer of any status as it comes; nothing in it is read. */
export async function* untouchedFrames(answer: DirectResponse): AsyncGenerator<OperationFrame> {
  const head = { status: answer.status, headers: passedHeaders(answer.headers.record) };
  yield { head, bytes: answer.bytes };
  for (let bytes = await answer.stream?.read(); bytes; bytes = await answer.stream?.read()) yield { bytes };
}
