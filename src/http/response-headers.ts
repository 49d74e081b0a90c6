import { answererOf, type CallContext } from '../model/call.ts';

/**
 * Who answered, for people who debug: the upstream's own request id and limits, and our route, in the original's names.
 * Names and values in turn. `model` is as the client asked for it; on streams this is what is known at the first byte.
 */
export function responseHeaders({ requestId, trace, operation }: CallContext, model = ''): string[] {
  const headers = ['x-bifrost-request-id', requestId, 'x-bifrost-trace-id', requestId];
  for (const name in trace.upstreamHeaders) headers.push(name, trace.upstreamHeaders[name] ?? '');
  headers.push('x-bifrost-request-type', operation);
  const { requested, upstreamMs } = trace;
  if (requested) {
    const name = headerText(requested.model);
    headers.push('x-bifrost-routing-info-requested-provider', requested.provider);
    headers.push('x-bifrost-routing-info-requested-model', name);
  }
  if (upstreamMs > 0) headers.push('x-bifrost-upstream-latency-ms', String(Math.round(upstreamMs)));
  if (model !== '') headers.push('x-bifrost-original-model', headerText(model));
  const answered = answererOf(trace);
  if (!answered) return headers;
  const { provider, keyName, fallbackIndex, alias } = answered;
  const resolved = headerText(answered.model);
  headers.push('x-bifrost-provider', provider, 'x-bifrost-resolved-model', resolved);
  headers.push('x-bifrost-routing-info-provider', provider, 'x-bifrost-routing-info-model', resolved);
  if (keyName !== '') headers.push('x-bifrost-routing-info-key', headerText(keyName));
  for (const member in alias) {
    headers.push(`x-bifrost-routing-info-alias-${member.replace('_', '-')}`, headerText(alias[member] ?? ''));
  }
  if (fallbackIndex > 0) pushFallback(headers, fallbackIndex, trace);
  if (trace.losses.length > 0) headers.push('x-bifrost-losses', String(trace.losses.length));
  return headers;
}

function pushFallback(headers: string[], fallbackIndex: number, { attempts }: CallContext['trace']): void {
  headers.push('x-bifrost-fallback-index', String(fallbackIndex), 'x-bifrost-routing-info-is-fallback', 'true');
  const [first] = attempts;
  if (!first) return;
  headers.push('x-bifrost-routing-info-primary-provider', first.provider);
  headers.push('x-bifrost-routing-info-primary-model', headerText(first.model));
}

/** A client's model name may hold anything; a header may not. */
const headerText = (text: string): string => (/^[\x20-\x7e]*$/.test(text) ? text : encodeURIComponent(text));
