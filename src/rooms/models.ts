import { codecs } from '../codecs/index.ts';
import type { Config, LoadedConfig } from '../config/load.ts';
import type { Log } from '../logs/process-log.ts';
import type { CallContext, ModelCall } from '../model/call.ts';
import type { OperationCall } from '../model/operation.ts';
import type { ChatRequest } from '../model/request.ts';
import { createProviderCall } from '../providers/call.ts';
import { createProviderCatalog } from '../providers/catalog.ts';
import type { CompatRules } from '../providers/compat.ts';
import { createNetwork } from '../providers/fetch.ts';
import type { ModelKnowledge } from '../providers/models/traits.ts';
import { createOperationTry } from '../providers/operations/call.ts';
import { mayStandIn, withChats } from '../providers/operations/text-by-chat.ts';
import type { ConfiguredProviders } from '../providers/provider.ts';
import { createQueues, queued } from '../providers/queued.ts';
import { createProviders } from '../providers/registry.ts';
import { createUpstreams } from '../providers/upstreams.ts';
import { readFirstSdk } from '../providers/warm-up.ts';
import { createModelCatalog, keepingListing, type ModelCatalog } from '../router/catalog.ts';
import { lacksVariable, whyUnusable } from '../router/keys.ts';
import { mostTools } from '../router/most-tools.ts';
import { createOperationRouter, createRouter } from '../router/router.ts';
import { type ServerToolHost, serverToolHost } from '../router/server-tools.ts';

export interface Models {
  readonly routed: ModelCall;
  readonly routedOperation: OperationCall;
  readonly catalog: ModelCatalog;
  readonly serverToolHost: (request: ChatRequest, context: CallContext) => ServerToolHost;
  /** How many tools whoever may be asked for a request takes. */
  readonly mostTools: (request: ChatRequest, context: CallContext) => number;
  /** Whether a configured provider could be asked for a model. */
  readonly isUsable: (provider: string) => boolean;
  /** Does ahead what the first request would wait for. Never rejects. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

const LISTING_KEPT_FOR_MS = 30_000;

/** The way to every configured provider. `insteadOfHosted`: what stands in for a hosted tool that one does not have. */
export function openModels(
  { config, skippedProviders }: Pick<LoadedConfig, 'config' | 'skippedProviders'>,
  log: Log,
  models: ModelKnowledge,
  insteadOfHosted: () => string | undefined,
): Models {
  const { byName: providers, problems } = createProviders(config.providers, skippedProviders);
  const unusable = unusableOf(providers);
  for (const problem of [...problems, ...unusable.values()]) if (problem) log('warn', problem);
  const compat = compatRulesOf(config.client.compat);
  const network = createNetwork();
  const upstreams = createUpstreams(network);
  const queues = createQueues(config.providers, config.client.drop_excess_requests);
  const call = queued(createProviderCall({ codecs, upstreams, models, compat, insteadOfHosted }), queues);
  const byChat = { call, codec: codecs['openai-chat'], rules: compat };
  return {
    routed: createRouter({ providers, call }),
    routedOperation: createOperationRouter({
      providers,
      call: withChats(queued(createOperationTry({ codecs, upstreams }), queues), byChat),
      standsIn: (provider, request, context) => mayStandIn(compat, provider, request, context),
    }),
    catalog: keepingListing(
      createModelCatalog({ providers, catalog: createProviderCatalog({ codecs, upstreams }) }),
      LISTING_KEPT_FOR_MS,
    ),
    serverToolHost: (request, context) => serverToolHost(request, context, providers),
    mostTools: (request, context) => mostTools(request, context, providers),
    isUsable: (name) => providers.has(name.toLowerCase()) && !unusable.has(name.toLowerCase()),
    warmUp: () => readFirstSdk(providers.values(), upstreams),
    close: () => network.close(),
  };
}

const compatRulesOf = (compat: Config['client']['compat']): CompatRules => ({
  convertsTexts: compat.convert_text_to_chat,
  convertsChats: compat.convert_chat_to_responses,
  convertsReasoning: compat.force_reasoning_only_models_to_responses,
  convertsAzureDeepSeek: compat.azure_deepseek,
  dropsParams: compat.should_drop_params === true,
});

/** Providers that can serve nothing, with what is to be said of each: nothing where the configuration has warned. */
const unusableOf = (providers: ConfiguredProviders): ReadonlyMap<string, string | undefined> =>
  new Map(
    [...providers].flatMap(([name, provider]) => {
      const why = whyUnusable(provider);
      return why === undefined ? [] : [[name, lacksVariable(provider) ? undefined : why] as const];
    }),
  );
