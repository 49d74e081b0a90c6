import { bedrockInvoke } from '../codecs/bedrock-invoke/index.ts';
import type { NamedByAzure, SaidByUrl } from '../codecs/body.ts';
import type { Envelope } from '../codecs/codec.ts';
import type { CodecId } from '../model/content.ts';
import { ownValue } from '../model/json.ts';
import type { OperationFormat, OperationKind } from '../model/operation.ts';
import { invokedAs } from '../providers/bedrock/operations.ts';
import { pathBehind } from './aliases.ts';
import { type AzurePath, azurePath } from './azure-routes.ts';
import { type PassthroughRoute, passthroughRoute } from './passthrough-routes.ts';
import { type StoredRoute, storedPaths, storedRoute } from './stored-routes.ts';

/** What a path serves. A client API for a known format is one line here. */
export type Route =
  | {
      readonly kind: 'inference';
      readonly codec: CodecId;
      readonly operation: string;
      readonly url?: ModelUrl;
      /** Only together with a URL that names the model. */
      readonly envelope?: Envelope;
    }
  | { readonly kind: 'count-tokens' | 'models'; readonly codec: CodecId; readonly url?: ModelUrl }
  | { readonly kind: 'tool-execute' }
  | { readonly kind: 'model'; readonly codec: CodecId; readonly id: string; readonly url: { readonly label: string } }
  | { readonly kind: 'operation'; readonly serves: OperationRoute }
  | { readonly kind: 'stored'; readonly serves: StoredRoute }
  | { readonly kind: 'passthrough'; readonly serves: PassthroughRoute };

/** An operation that is no chat. */
export interface OperationRoute {
  readonly kind: OperationKind;
  readonly format: OperationFormat;
  /** In which errors are told. */
  readonly codec: CodecId;
  readonly url?: ModelUrl;
}

/** A path that names a model. */
interface ModelUrl {
  /** The path without the name, for counters. */
  readonly label: string;
  readonly said?: SaidByUrl;
  readonly azure?: NamedByAzure;
}

const chat: Route = { kind: 'inference', codec: 'openai-chat', operation: 'chat_completion' };
const responses: Route = { kind: 'inference', codec: 'openai-responses', operation: 'responses' };
const messages: Route = { kind: 'inference', codec: 'anthropic-messages', operation: 'messages' };
const countTokens: Route = { kind: 'count-tokens', codec: 'anthropic-messages' };
const inputTokens: Route = { kind: 'count-tokens', codec: 'openai-responses' };
const models: Route = { kind: 'models', codec: 'openai-chat' };
const anthropicModels: Route = { kind: 'models', codec: 'anthropic-messages' };
const geminiModels: Route = { kind: 'models', codec: 'gemini' };

/** OpenAI's own paths below its base URL. */
const OPENAI_OPERATIONS: readonly (readonly [path: string, kind: OperationKind])[] = [
  ['/completions', 'text_completion'],
  ['/embeddings', 'embedding'],
  ['/images/generations', 'image_generation'],
  ['/images/edits', 'image_edit'],
  ['/images/variations', 'image_variation'],
  ['/audio/speech', 'speech'],
  ['/audio/transcriptions', 'transcription'],
  ['/audio/translations', 'translation'],
  ['/rerank', 'rerank'],
  ['/responses/compact', 'responses_compact'],
];

const operation = (kind: OperationKind, format: OperationFormat, codec: CodecId = 'openai-chat'): Route => ({
  kind: 'operation',
  serves: { kind, format, codec },
});

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['POST /v1/chat/completions', chat],
  ['POST /openai/v1/chat/completions', chat],
  ['POST /openai/chat/completions', chat],
  ['POST /v1/responses', responses],
  ['POST /openai/v1/responses', responses],
  ['POST /openai/responses', responses],
  ['POST /anthropic/v1/messages', messages],
  ['POST /anthropic/v1/messages/count_tokens', countTokens],
  ['POST /v1/messages', messages],
  ['POST /v1/messages/count_tokens', countTokens],
  ['POST /v1/responses/input_tokens', inputTokens],
  ['POST /openai/v1/responses/input_tokens', inputTokens],
  ['POST /openai/responses/input_tokens', inputTokens],
  ['GET /v1/models', models],
  ['GET /openai/v1/models', models],
  ['GET /openai/models', models],
  ['GET /anthropic/v1/models', anthropicModels],
  ['GET /genai/v1beta/models', geminiModels],
  ['GET /genai/v1/models', geminiModels],
  ...['/v1', '/openai/v1', '/openai'].flatMap((base) =>
    OPENAI_OPERATIONS.map(([path, kind]): [string, Route] => [`POST ${base}${path}`, operation(kind, 'openai')]),
  ),
  ['POST /cohere/v2/embed', operation('embedding', 'cohere')],
  ['POST /cohere/v2/rerank', operation('rerank', 'cohere')],
  ['POST /genai/v1/rank', operation('rerank', 'vertex-rank', 'gemini')],
  ['POST /v1/mcp/tool/execute', { kind: 'tool-execute' }],
]);

export const routeOf = (method: string, path: string): Route | undefined =>
  ROUTES.get(`${method} ${path}`) ?? (method === 'POST' ? modelRoute(path) : undefined) ?? patternRoute(method, path);

/** Paths that hold an id, and aliases of others. */
function patternRoute(method: string, path: string): Route | undefined {
  const azure = azurePath(path);
  if (azure) return withAzure(ROUTES.get(`${method} ${azure.path}`), azure);
  const stored = storedRoute(method, path);
  if (stored) return { kind: 'stored', serves: stored };
  const model = method === 'GET' ? oneModelRoute(path) : undefined;
  if (model) return model;
  const passed = passthroughRoute(path);
  if (passed) return { kind: 'passthrough', serves: passed };
  const behind = pathBehind(path);
  return behind === undefined ? undefined : routeOf(method, behind);
}

function withAzure(route: Route | undefined, { label, azure }: AzurePath): Route | undefined {
  const url = { label, azure };
  switch (route?.kind) {
    case 'inference':
    case 'count-tokens':
      return { ...route, url };
    case 'operation':
      return { ...route, serves: { ...route.serves, url } };
    default:
      return route;
  }
}

const ONE_MODEL = /^(?:\/v1|\/openai\/v1|\/openai|\/(anthropic)\/v1|\/(genai)\/v1(?:beta)?)\/models\/(.+)$/;

/** The slash of `provider/model` stands in the path as it is, or encoded as SDKs do. */
function oneModelRoute(path: string): Route | undefined {
  const [whole, anthropic, genai, name = ''] = ONE_MODEL.exec(path) ?? [];
  const id = decoded(name);
  if (whole === undefined || id === undefined || (genai && googleRoute(path))) return undefined;
  const codec = anthropic ? 'anthropic-messages' : genai ? 'gemini' : 'openai-chat';
  return { kind: 'model', codec, id, url: { label: '/v1/models/{model}' } };
}

/** Paths that name a model. */
function modelRoute(path: string): Route | undefined {
  if (path.startsWith('/genai/')) return googleRoute(path);
  return path.includes('/bedrock/model/') ? bedrockRoute(path) : undefined;
}

/** Names may hold slashes (`provider/model`, ARNs), encoded or not. */
const BEDROCK_PATH = /^(?:\/(?:litellm|langchain|pydanticai))?\/bedrock\/model\/(.+)\/([a-z-]+)$/;

const BEDROCK_VERBS: Readonly<Record<string, { stream: boolean; enclosed: boolean } | undefined>> = {
  converse: { stream: false, enclosed: false },
  'converse-stream': { stream: true, enclosed: false },
  invoke: { stream: false, enclosed: true },
  'invoke-with-response-stream': { stream: true, enclosed: true },
};

function bedrockRoute(path: string): Route | undefined {
  const [, name = '', verb = ''] = BEDROCK_PATH.exec(path) ?? [];
  const model = decoded(name);
  const does = ownValue(BEDROCK_VERBS, verb);
  if (!model || !does) return undefined;
  const url = { label: `/bedrock/model/{model}/${verb}`, said: { model, stream: does.stream } };
  if (!does.enclosed) return { kind: 'inference', codec: 'bedrock-converse', operation: 'converse', url };
  const asked = does.stream ? undefined : invokedAs(model);
  if (asked) return { kind: 'operation', serves: { ...asked, codec: 'bedrock-converse', url } };
  return { kind: 'inference', codec: 'anthropic-messages', operation: 'invoke', url, envelope: bedrockInvoke };
}

/**
 * `provider/model` stands in the path as it is; LangChain leaves `models/` out where the name has a slash. Clients of
 * Vertex say project and region, and name the vendor as a publisher.
 */
const GOOGLE_PATH =
  /^\/genai\/(v1(?:alpha|beta1?)?)\/(?:projects\/[^/]+\/locations\/[^/]+\/)?(?:publishers\/([^/]+)\/)?(?:models\/)?(.+):(\w+)$/;

function googleRoute(path: string): Route | undefined {
  const [, version, publisher = 'google', name = '', verb = ''] = GOOGLE_PATH.exec(path) ?? [];
  const named = decoded(name);
  if (version === undefined || named === undefined) return undefined;
  const model = publisher === 'google' ? named : `${publisher}/${named}`;
  const url = { label: `/genai/${version}/models/{model}:${verb}`, said: { model, stream: verb === STREAMS } };
  if (verb === 'countTokens') return { kind: 'count-tokens', codec: 'gemini', url };
  const asked = operationAsked(verb, model, version);
  if (asked) return { kind: 'operation', serves: { ...asked, codec: 'gemini', url } };
  if (verb !== 'generateContent' && verb !== STREAMS) return undefined;
  return { kind: 'inference', codec: 'gemini', operation: 'generate_content', url };
}

const STREAMS = 'streamGenerateContent';

type Asked = Pick<OperationRoute, 'kind' | 'format'>;

/** Google's verbs that are no chats; Vertex has a version of its own, and words of its own for settings. */
function operationAsked(verb: string, model: string, version: string): Asked | undefined {
  switch (verb) {
    case 'embedContent':
      return { kind: 'embedding', format: version === 'v1beta1' ? 'vertex' : 'gemini' };
    case 'batchEmbedContents':
      return { kind: 'embedding', format: 'gemini-batch' };
    case 'predict':
      return isEmbedding(model)
        ? { kind: 'embedding', format: 'vertex-predict' }
        : { kind: 'image_generation', format: 'imagen' };
    default:
      return undefined;
  }
}

/** What `predict` predicts is said by the model alone. */
const isEmbedding = (model: string): boolean => /embed/i.test(model);

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The dialect in which a route tells errors. */
export function codecOf(route: Route): CodecId {
  if ('codec' in route) return route.codec;
  if (route.kind === 'tool-execute' || route.kind === 'stored') return 'openai-chat';
  return route.serves.codec;
}

/** The dialect in which a path that nobody serves is refused. */
export function dialectOf(given: string): CodecId {
  const path = pathBehind(given) ?? given;
  if (path.startsWith('/genai')) return 'gemini';
  if (/^\/(?:\w+\/)?bedrock(?:\/|$)/.test(path)) return 'bedrock-converse';
  return path.startsWith('/anthropic') ? 'anthropic-messages' : 'openai-chat';
}

/** The paths served, for the 404 that helps. */
export const servedPaths = (): string[] => [
  ...ROUTES.keys(),
  ...storedPaths(),
  'POST /openai/openai/deployments/{deployment}/chat/completions',
  ...['generateContent', STREAMS, 'countTokens', 'embedContent', 'batchEmbedContents', 'predict'].map(
    (verb) => `POST /genai/v1beta/models/{model}:${verb}`,
  ),
  ...Object.keys(BEDROCK_VERBS).map((verb) => `POST /bedrock/model/{model}/${verb}`),
];
