import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config/load.ts';
import { bringingKey, wishingCompat, wishingRaw } from '../http/caller.ts';
import { afterStep, type CallerStep, filteringHeaders } from '../http/header-rules.ts';
import type { Caller } from '../model/call.ts';

type CallerOf = (headers: IncomingHttpHeaders) => Caller;

/** Callers on the routes of models, with what the configuration lets their headers ask for: each step only where it does. */
export function modelCallers({ client }: Config, callerOf: CallerOf): CallerOf {
  const { header_filter_config: filter } = client;
  const steps: CallerStep[] = [
    ...(filter.allowlist.length + filter.denylist.length > 0 ? [filteringHeaders(filter)] : []),
    ...(client.allow_direct_keys ? [bringingKey] : []),
    ...(client.allow_per_request_raw_override ? [wishingRaw] : []),
    wishingCompat,
  ];
  return steps.reduce(afterStep, callerOf);
}
