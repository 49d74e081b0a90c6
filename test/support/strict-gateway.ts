import { type Gateway, keyed, startGatewayHere } from './gateway.ts';
import { strictAnthropic } from './strict-anthropic.ts';
import { strictDeepSeek } from './strict-deepseek.ts';
import { strictGemini } from './strict-gemini.ts';
import { strictGroq } from './strict-groq.ts';
import { strictOpenAiChat } from './strict-openai-chat.ts';
import { strictResponses } from './strict-responses.ts';
import {
  firstOf,
  type StrictAnswer,
  type StrictApi,
  type StrictRequest,
  type StrictUpstream,
  startStrict,
} from './strict-server.ts';

export type StrictName = 'anthropic' | 'openai' | 'gemini' | 'groq' | 'deepseek';

export interface StrictGateway {
  readonly gateway: Gateway;
  readonly upstreams: Readonly<Record<StrictName, StrictUpstream>>;
  close(): Promise<void>;
}

/** Chat Completions and Responses at one address, as OpenAI has them. */
const strictOpenAi: StrictApi = {
  rules: [
    {
      rule: 'the rules of either API',
      source: 'strict-openai-chat.ts, strict-responses.ts',
      problem: (request) => firstOf(apiOf(request).rules, ({ problem }) => problem(request)),
    },
  ],
  refusal: strictOpenAiChat.refusal,
  whole: (answer, request, count) => apiOf(request).whole(answer, request, count),
  streamed: (answer, request, count) => apiOf(request).streamed(answer, request, count),
};

const apiOf = ({ path }: StrictRequest): StrictApi =>
  path.includes('/responses') ? strictResponses : strictOpenAiChat;

/** The whole gateway in front of one strict server for each provider. */
export async function startStrictGateway(
  script: (name: StrictName, request: StrictRequest) => StrictAnswer,
  more: { readonly mcp?: object; readonly client?: object } = {},
): Promise<StrictGateway> {
  const start = (name: StrictName, api: StrictApi) => startStrict(api, (request) => script(name, request));
  const upstreams = {
    anthropic: await start('anthropic', strictAnthropic),
    openai: await start('openai', strictOpenAi),
    gemini: await start('gemini', strictGemini),
    groq: await start('groq', strictGroq),
    deepseek: await start('deepseek', strictDeepSeek),
  };
  const gateway = await startGatewayHere({
    client: { enable_logging: false },
    ...more,
    providers: {
      anthropic: keyed(upstreams.anthropic.url),
      openai: keyed(`${upstreams.openai.url}/v1`),
      gemini: keyed(`${upstreams.gemini.url}/v1beta`),
      groq: keyed(`${upstreams.groq.url}/openai/v1`),
      deepseek: keyed(`${upstreams.deepseek.url}/v1`),
      responder: {
        ...keyed(`${upstreams.openai.url}/v1`),
        custom_provider_config: {
          base_provider_type: 'openai',
          allowed_requests: { responses: true, responses_stream: true },
        },
      },
    },
  });
  const close = async () => {
    await gateway.stop();
    await Promise.all(Object.values(upstreams).map((upstream) => upstream.close()));
  };
  return { gateway, upstreams, close };
}
