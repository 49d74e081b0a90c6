import type { Codec } from '../codecs/codec.ts';
import type { CallContext } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';
import { asGatewayError } from '../model/errors.ts';
import type { Frame, StreamEvent } from '../model/event.ts';
import type { ChatRequest } from '../model/request.ts';
import { ReasoningVault } from '../vault/vault.ts';
import { ChatServers } from './chat-servers.ts';
import type { ChatMeans } from './chat-try.ts';
import type { CompatRules } from './compat.ts';
import { createModelKnowledge, type ModelKnowledge } from './models/traits.ts';
import { isScripted } from './provider.ts';
import { type CallTarget, placed } from './target.ts';
import { UpstreamFrames } from './upstream-frames.ts';
import type { Upstreams } from './upstreams.ts';

/**
 * One try at one target. The first frame already holds content (or the whole answer): whoever has it knows that the
 * provider has taken the request. Iteration throws GatewayError; leaving it early ends the upstream request.
 */
export type ProviderCall = (target: CallTarget, request: ChatRequest, context: CallContext) => AsyncIterable<Frame>;

export interface ProviderCallOptions {
  readonly codecs: Readonly<Record<CodecId, Codec>>;
  readonly upstreams: Upstreams;
  /** Where models' reasoning state is kept; a new one when absent. */
  readonly vault?: ReasoningVault;
  /** What is known of models; what their families tell when absent. */
  readonly models?: ModelKnowledge;
  /** What is converted though the provider might take it; the usual when absent. */
  readonly compat?: CompatRules;
  /** What to use in place of a hosted tool that the provider does not have. */
  readonly insteadOfHosted?: () => string | undefined;
}

export function createProviderCall({
  codecs,
  upstreams,
  vault = new ReasoningVault(),
  models = createModelKnowledge(),
  compat,
  insteadOfHosted,
}: ProviderCallOptions): ProviderCall {
  const writing = { codecs, vault, models, ...(compat && { compat }), insteadOfHosted };
  const means: ChatMeans = { writing, upstreams, chatServers: new ChatServers() };
  return (given, request, context) => {
    const target = placed(given);
    const { deployment } = target.provider;
    if (isScripted(deployment)) return scriptedFrames(deployment.scripted(request, target.model, context.signal));
    return new UpstreamFrames({ means, deployment: means.chatServers.seen(deployment), target, request, context });
  };
}

async function* scriptedFrames(events: AsyncIterable<StreamEvent>): AsyncGenerator<Frame> {
  try {
    for await (const event of events) yield { events: [event] };
  } catch (thrown) {
    throw asGatewayError(thrown);
  }
}
