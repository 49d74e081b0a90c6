import type { CallContext } from '../model/call.ts';
import { asGatewayError, type ErrorKind } from '../model/errors.ts';
import type { ChatRequest } from '../model/request.ts';
import type { ProviderCatalog, UpstreamModel } from '../providers/catalog.ts';
import type { Provider } from '../providers/provider.ts';
import { keyOfCaller } from './direct-keys.ts';
import { eligibleKeys, pickKey, servesModel, upstreamModel, usableKeys } from './keys.ts';
import { resolveModel } from './resolve.ts';

export interface RoutedModel extends UpstreamModel {
  /** `provider/model`. */
  readonly id: string;
  readonly provider: string;
}

export interface ModelListing {
  readonly models: readonly RoutedModel[];
  /** A sentence for each provider that could not be asked. */
  readonly problems: readonly string[];
}

export interface ModelCatalog {
  /** The models of all providers that the caller's keys may serve. Never rejects for one provider's sake. */
  listModels(signal: AbortSignal): Promise<ModelListing>;
  /** Input tokens as the provider counts them; undefined where an estimate must do. Throws GatewayError. */
  countTokens(request: ChatRequest, context: CallContext): Promise<number | undefined>;
}

interface CatalogOptions {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly catalog: ProviderCatalog;
  /** [0, 1); for tests. */
  readonly random?: () => number;
}

/** Faults of the request itself, which an estimate would hide. */
const CLIENT_FAULTS: ReadonlySet<ErrorKind> = new Set(['invalid-request', 'too-large', 'cancelled']);

export const createModelCatalog = ({ providers, catalog, random = Math.random }: CatalogOptions): ModelCatalog => ({
  async listModels(signal) {
    const listings = await Promise.all([...providers.values()].map((provider) => listingOf(provider, catalog, signal)));
    return {
      models: listings.flatMap(({ models }) => models),
      problems: listings.flatMap(({ problems }) => problems),
    };
  },

  async countTokens(request, context) {
    const { provider, model } = resolveModel(request.model, providers, context.dialect);
    const { directKey } = context.caller;
    const [first, ...others] = directKey ? [keyOfCaller(provider, directKey)] : eligibleKeys(provider, model);
    if (!first || !provider.allows('count_tokens')) return undefined;
    const key = pickKey([first, ...others], random);
    const target = { provider, key, model: upstreamModel(key, model) };
    return catalog.countTokens(target, request, context).catch((thrown: unknown) => {
      const error = asGatewayError(thrown);
      if (CLIENT_FAULTS.has(error.kind)) throw error;
      return undefined;
    });
  },
});

/**
 * The catalog, with its listing kept for a short while: clients ask for it at every start, and each time every provider
 * would be asked. One with problems is not kept.
 */
export function keepingListing(
  catalog: ModelCatalog,
  keptForMs: number,
  now: () => number = () => performance.now(),
): ModelCatalog {
  let kept: { readonly listing: ModelListing; readonly untilMs: number } | undefined;
  return {
    ...catalog,
    async listModels(signal) {
      if (kept && now() < kept.untilMs) return kept.listing;
      const listing = await catalog.listModels(signal);
      kept = listing.problems.length === 0 ? { listing, untilMs: now() + keptForMs } : undefined;
      return listing;
    },
  };
}

async function listingOf(provider: Provider, catalog: ProviderCatalog, signal: AbortSignal): Promise<ModelListing> {
  const keys = usableKeys(provider);
  const [key] = keys;
  if (!key || !provider.allows('list_models')) return { models: namedModels(provider), problems: [] };
  try {
    const listed = await catalog.listModels(provider, key, signal);
    const served = listed.filter(({ id }) => keys.some((candidate) => servesModel(candidate, id)));
    return { models: merged(provider, served), problems: [] };
  } catch (thrown) {
    const problem = `the models of ${provider.name} could not be listed: ${asGatewayError(thrown).message}`;
    return { models: namedModels(provider), problems: [problem] };
  }
}

/** What the provider lists, and what only the configuration names. */
function merged(provider: Provider, listed: readonly UpstreamModel[]): readonly RoutedModel[] {
  const routed = listed.map((model) => ({ ...model, id: `${provider.name}/${model.id}`, provider: provider.name }));
  const known = new Set(routed.map(({ id }) => id.toLowerCase()));
  return [...routed, ...namedModels(provider).filter(({ id }) => !known.has(id.toLowerCase()))];
}

function namedModels(provider: Provider): readonly RoutedModel[] {
  const names = usableKeys(provider).flatMap((key) => [...(key.models ?? []), ...Object.keys(key.aliases)]);
  return [...new Set(names)]
    .filter((name) => name !== '*')
    .map((name) => ({ id: `${provider.name}/${name}`, provider: provider.name, created: 0 }));
}
