import type { ProviderConfig } from '../config/schema.ts';
import type { BodySource } from '../model/request.ts';
import type { Deployment, ScriptedDeployment } from './provider.ts';
import { adjustWith, type Quirk } from './quirks.ts';

/** What is not said of `store`: chats are not kept, answers of the Responses API are (OpenAI API reference, both). */
const keepsUnasked = (isChat: boolean): boolean => !isChat;

const isKept = (store: unknown, isChat: boolean): boolean =>
  typeof store === 'boolean' ? store : keepsUnasked(isChat);

/** Nothing is kept at the provider, whatever the client asks for. */
const storesNothing: Quirk = {
  concerns: (source: BodySource) => isKept(source.member('store'), source.codec === 'openai-chat'),
  apply(body, _model, report) {
    if (!isKept(body.store, Array.isArray(body.messages))) return body;
    const action = body.store === true ? 'rewritten' : 'invented';
    report({
      field: 'store',
      action,
      reason: 'the configuration lets nothing be stored (openai_config.disable_store)',
    });
    return { ...body, store: false };
  },
};

type AnyDeployment = Deployment | ScriptedDeployment;

/** The deployment as `openai_config.disable_store` wants it; the very same where it says nothing. */
export function storingAsAllowed(
  deployment: AnyDeployment,
  { openai_config: own, custom_provider_config: custom }: ProviderConfig,
): AnyDeployment {
  const isOpenAi = (custom?.base_provider_type ?? deployment.name) === 'openai';
  if (!own.disable_store || !isOpenAi || !('sdk' in deployment)) return deployment;
  const { adjust, mayAdjust } = deployment;
  const last = adjustWith([storesNothing]);
  return {
    ...deployment,
    adjust: (body, model) => {
      const first = adjust?.(body, model);
      const adjusted = last(first?.body ?? body, model);
      return { body: adjusted.body, losses: [...(first?.losses ?? []), ...adjusted.losses] };
    },
    mayAdjust: (source, model) =>
      storesNothing.concerns(source, model) || (adjust !== undefined && mayAdjust?.(source, model) !== false),
  };
}
