import { readBody } from '../../src/codecs/body.ts';
import { codecs } from '../../src/codecs/index.ts';
import { provider as providerSchema } from '../../src/config/provider-section.ts';
import { type CallContext, type Caller, newTrace } from '../../src/model/call.ts';
import type { CodecId } from '../../src/model/content.ts';
import type { Frame, StreamEvent } from '../../src/model/event.ts';
import { DeferredRequest } from '../../src/model/request.ts';
import { type ChatResponse, foldAll } from '../../src/model/response.ts';
import { createProviderCall, type ProviderCall } from '../../src/providers/call.ts';
import { createProviderCatalog, type ProviderCatalog } from '../../src/providers/catalog.ts';
import { createNetwork } from '../../src/providers/fetch.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { createProviders } from '../../src/providers/registry.ts';
import { createUpstreams } from '../../src/providers/upstreams.ts';

export interface Scene {
  readonly call: ProviderCall;
  readonly catalog: ProviderCatalog;
  close(): Promise<void>;
}

/** The real provider side, on connections of its own. */
export function openScene(): Scene {
  const network = createNetwork();
  const upstreams = createUpstreams(network);
  return {
    call: createProviderCall({ codecs, upstreams }),
    catalog: createProviderCatalog({ codecs, upstreams }),
    close: () => network.close(),
  };
}

/** One provider at `url` with one key; `network` and `more` are as in config.json. */
export function providerAt(name: string, url: string, network: object = {}, more: object = {}): Provider {
  const settings = providerSchema.parse({
    keys: [{ name: 'main', value: 'sk-secret', models: ['*'] }],
    network_config: { base_url: url, ...network },
    ...more,
  });
  const provider = createProviders({ [name]: settings }).byName.get(name);
  if (!provider) throw new Error(`no provider ${name}`);
  return provider;
}

export const requestOf = (dialect: CodecId, body: string | object): DeferredRequest => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const { head, source } = readBody(dialect, bytes);
  return new DeferredRequest(head, source, codecs[dialect].decodeRequest);
};

export const contextOf = (dialect: CodecId, more: Partial<CallContext> & { caller?: Caller } = {}): CallContext => {
  const context: CallContext = {
    requestId: 'r1',
    operation: 'chat_completion',
    dialect,
    caller: { forwardHeaders: {} },
    signal: new AbortController().signal,
    trace: newTrace(),
    startedAtMs: 0,
    ...more,
  };
  context.trace.attempts.push({ provider: 'p', model: 'm', keyName: 'main', fallbackIndex: 0, startedAtMs: 0 });
  return context;
};

export interface Heard {
  readonly frames: readonly Frame[];
  readonly bytes: string;
  readonly events: readonly StreamEvent[];
  readonly response: ChatResponse;
  readonly error: unknown;
}

/** All frames, and the error behind them if there is one. */
export async function heard(frames: AsyncIterable<Frame>): Promise<Heard> {
  const list: Frame[] = [];
  let error: unknown;
  try {
    for await (const frame of frames) list.push(frame);
  } catch (thrown) {
    error = thrown;
  }
  const events = list.flatMap((frame) => frame.events);
  const bytes = list.map(({ raw }) => (raw ? Buffer.from(raw.bytes).toString() : '')).join('');
  return { frames: list, bytes, events, response: foldAll(events), error };
}

export interface CallGiven {
  readonly provider: Provider;
  readonly request: DeferredRequest;
  readonly context: CallContext;
  readonly model?: string;
}

export function framesFor({ call }: Scene, { provider, request, context, model = 'm-up' }: CallGiven) {
  const [key] = provider.keys;
  if (!key) throw new Error(`provider ${provider.name} has no key`);
  return call({ provider, key, model }, request, context);
}
