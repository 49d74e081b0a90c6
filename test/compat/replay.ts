import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import type { JsonObject } from '../../src/model/json.ts';
import { type Gateway, keyed, startGatewayHere } from '../support/gateway.ts';
import type { Recording } from '../support/recordings.ts';
import { sharedPath } from '../support/shared.ts';
import type { Format } from './answers.ts';

/** What the replay upstream was asked, in order. */
export interface AskedUpstream {
  readonly path: string;
  readonly body: JsonObject;
  readonly case?: string;
  readonly step?: number;
}

export interface Stage {
  readonly gateway: Gateway;
  /** Everything asked so far; the list grows. */
  requests(): readonly AskedUpstream[];
  stop(): Promise<void>;
}

interface ReplayServer {
  readonly server: Server;
  readonly requests: () => AskedUpstream[];
}

/** Providers that stand under their own name; every other one is asked as an OpenAI-compatible server. */
const OWN_NAME = 'anthropic cerebras deepseek gemini groq huggingface mistral ollama openrouter perplexity xai';

/** Of the OpenAI family and the Responses API only: chat clients are translated for it. */
const RESPONSES_ONLY = 'responder';

/** The provider of the gateway behind which a recording answers. */
export function providerOf({ endpoint, provider }: Pick<Recording, 'endpoint' | 'provider'>): string {
  if (endpoint === 'openai.responses') return RESPONSES_ONLY;
  if (endpoint === 'gemini.generate') return 'gemini';
  return OWN_NAME.split(' ').includes(provider) ? provider : 'clone';
}

/** The recordings as an upstream, and one gateway in front of them with a provider of every kind, and with `more`. */
export async function startStage(more: object = {}): Promise<Stage> {
  const replay = await startReplay();
  const { port } = replay.server.address() as AddressInfo;
  const root = `http://127.0.0.1:${port}`;
  const named = OWN_NAME.split(' ').map((name) => [name, keyed(atRoot(name) ? root : `${root}/v1`)] as const);
  const custom = (allowed_requests: object) => ({
    ...keyed(root),
    custom_provider_config: { base_provider_type: 'openai', allowed_requests },
  });
  const gateway = await startGatewayHere({
    client: { enable_logging: false },
    providers: {
      ...Object.fromEntries(named),
      clone: custom({ chat_completion: true, chat_completion_stream: true }),
      [RESPONSES_ONLY]: custom({ responses: true, responses_stream: true }),
      ...more,
    },
  });
  return {
    gateway,
    requests: replay.requests,
    stop: async () => {
      await gateway.stop();
      replay.server.closeAllConnections();
      await new Promise((done) => replay.server.close(done));
    },
  };
}

const atRoot = (provider: string): boolean => provider === 'anthropic' || provider === 'gemini';

async function startReplay(): Promise<ReplayServer> {
  const { href } = pathToFileURL(sharedPath('replay', 'server.mjs'));
  // the shape is that of its README
  const { createReplayServer } = (await import(href)) as { createReplayServer(options: object): ReplayServer };
  const replay = createReplayServer({ dirs: [sharedPath('recordings')] });
  await new Promise<void>((done) => {
    replay.server.listen(0, '127.0.0.1', () => done());
  });
  return replay;
}

const PATHS: Readonly<Record<string, string>> = {
  'anthropic-messages': '/anthropic/v1/messages',
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
};

/** Where a client of a format asks for a stream. */
export const pathOf = (format: Format, model: string): string =>
  PATHS[format] ?? `/genai/v1beta/models/${model}:streamGenerateContent?alt=sse`;
