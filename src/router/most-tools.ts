import type { CallContext } from '../model/call.ts';
import type { ChatRequest } from '../model/request.ts';
import { isScripted, type Provider } from '../providers/provider.ts';
import { explicitTarget, resolveModel } from './resolve.ts';

/** How many tools every target of a request takes; Infinity where no limit is known. */
export function mostTools(
  { model, fallbacks }: ChatRequest,
  { dialect }: CallContext,
  providers: ReadonlyMap<string, Provider>,
): number {
  try {
    const targets = [
      resolveModel(model, providers, dialect),
      ...fallbacks.map((name) => explicitTarget(name, providers)),
    ];
    return Math.min(...targets.map((target) => (target ? limitOf(target.provider) : Infinity)));
  } catch {
    // the router says what is wrong with the name
    return Infinity;
  }
}

const limitOf = ({ deployment }: Provider): number =>
  isScripted(deployment) ? Infinity : (deployment.mostTools ?? Infinity);
