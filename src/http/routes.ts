import type { CodecId } from '../model/content.ts';

/** What a path serves. A client API for a known format is one line here. */
export type Route =
  | { readonly kind: 'inference'; readonly codec: CodecId; readonly operation: string }
  | { readonly kind: 'count-tokens' | 'models'; readonly codec: CodecId }
  | { readonly kind: 'tool-execute' };

const chat: Route = { kind: 'inference', codec: 'openai-chat', operation: 'chat_completion' };
const responses: Route = { kind: 'inference', codec: 'openai-responses', operation: 'responses' };
const messages: Route = { kind: 'inference', codec: 'anthropic-messages', operation: 'messages' };
const countTokens: Route = { kind: 'count-tokens', codec: 'anthropic-messages' };
const models: Route = { kind: 'models', codec: 'openai-chat' };
const anthropicModels: Route = { kind: 'models', codec: 'anthropic-messages' };

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
  ['GET /v1/models', models],
  ['GET /openai/v1/models', models],
  ['GET /openai/models', models],
  ['GET /anthropic/v1/models', anthropicModels],
  ['POST /v1/mcp/tool/execute', { kind: 'tool-execute' }],
]);

export const routeOf = (method: string, path: string): Route | undefined => ROUTES.get(`${method} ${path}`);

/** The dialect in which a path that nobody serves is refused. */
export const dialectOf = (path: string): CodecId =>
  path.startsWith('/anthropic') ? 'anthropic-messages' : 'openai-chat';

/** The paths served, for the 404 that helps. */
export const servedPaths = (): string[] => [...ROUTES.keys()];
