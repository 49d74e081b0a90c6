import type { CallContext } from '../model/call.ts';
import type { ChatRequest } from '../model/request.ts';
import { isScripted, type Provider } from '../providers/provider.ts';
import { explicitTarget, resolveModel } from './resolve.ts';

/**
 * Who runs the server tools that a request may ask for: every target itself, in the client's own words; or not every
 * one, though all speak the client's format; or at least one gets the request in another format.
 */
export type ServerToolHost = 'provider' | 'nobody' | 'nobody-translated';

export function serverToolHost(
  { model, fallbacks }: ChatRequest,
  { dialect }: CallContext,
  providers: ReadonlyMap<string, Provider>,
): ServerToolHost {
  let host: ServerToolHost = 'provider';
  try {
    const targets = [
      resolveModel(model, providers, dialect),
      ...fallbacks.map((name) => explicitTarget(name, providers)),
    ];
    for (const target of targets) {
      if (!target) continue;
      const { deployment } = target.provider;
      if (isScripted(deployment) || !deployment.speaks.includes(dialect)) return 'nobody-translated';
      if (deployment.runsServerTools !== true) host = 'nobody';
    }
  } catch {
    // the router says what is wrong with the name
    return 'provider';
  }
  return host;
}
