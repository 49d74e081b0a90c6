import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../codecs/body.ts';
import type { Codec } from '../codecs/codec.ts';
import type { AbortPool } from '../model/abort-pool.ts';
import { type CallContext, type Caller, newTrace } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject } from '../model/json.ts';
import { orderedId } from '../model/ordered-id.ts';
import { type ChatRequest, DeferredRequest } from '../model/request.ts';
import { anthropicModels, geminiModels, type ListedModel, oneModel, openaiModels } from './models.ts';
import { cancelledByClient, replyError } from './reply.ts';
import { requestBody } from './request-body.ts';
import type { Route } from './routes.ts';
import { manualAnswerOf, manualCallOf } from './tool-execute.ts';

/** What the routes beside the models' own need of the gateway. */
export interface SideRoutes {
  readonly listModels: (context: CallContext) => Promise<readonly ListedModel[]>;
  /** Input tokens: native where the provider counts, estimated otherwise. */
  readonly countTokens: (request: ChatRequest, context: CallContext) => Promise<number>;
  /** Runs a tool by hand: every filter applies, the auto-execute list does not. */
  readonly executeTool: (
    call: { name: string; id: string; arguments: JsonObject },
    context: CallContext,
  ) => Promise<{ text: string; isError: boolean }>;
}

interface SideOptions {
  readonly codecs: Readonly<Record<CodecId, Codec>>;
  readonly sideRoutes: SideRoutes;
  readonly callerOf: (headers: IncomingMessage['headers']) => Caller;
  readonly maxBodyBytes: number;
  readonly openCalls: AbortPool;
}

type SideRoute = Exclude<Route, { kind: 'inference' } | { serves: object }>;

export async function serveSideRoute(
  route: SideRoute,
  request: IncomingMessage,
  response: ServerResponse,
  options: SideOptions,
): Promise<void> {
  const dialect = route.kind === 'tool-execute' ? 'openai-chat' : route.codec;
  const abort = options.openCalls.take();
  let isAnswered = false;
  response.on('close', () => {
    if (!isAnswered) abort.abort(cancelledByClient());
  });
  const context = contextOf(route.kind, dialect, request, abort.signal, options);
  try {
    const body = await answerOf(route, request, context, options);
    const written = JSON.stringify(body);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(written),
      'x-bifrost-request-id': context.requestId,
    });
    response.end(written);
  } catch (thrown) {
    // why it was ended says more than that it was
    const why: unknown = abort.signal.aborted ? abort.signal.reason : thrown;
    replyError(why, options.codecs[dialect], response, context.requestId);
  } finally {
    isAnswered = true;
    options.openCalls.giveBack(abort);
  }
}

async function answerOf(
  route: SideRoute,
  request: IncomingMessage,
  context: CallContext,
  { codecs, sideRoutes, maxBodyBytes }: SideOptions,
): Promise<JsonObject> {
  const query = new URL(request.url ?? '/', 'http://gateway').searchParams;
  switch (route.kind) {
    case 'models': {
      const models = await sideRoutes.listModels(context);
      return (MODEL_LISTS[route.codec] ?? openaiModels)(models, query);
    }
    case 'model': {
      const models = await sideRoutes.listModels(context);
      return oneModel(models, route.id, route.codec);
    }
    case 'count-tokens': {
      const { codec, url } = route;
      const { head, source } = readBody(codec, await requestBody(request, maxBodyBytes), url?.said, url?.azure);
      const { decodeRequest } = codecs[route.codec];
      const counted = new DeferredRequest(head, source, (body) => decodeRequest(countedPart(body)));
      const tokens = await sideRoutes.countTokens(counted, context);
      return (TOKEN_COUNTS[route.codec] ?? anthropicCount)(tokens);
    }
    case 'tool-execute': {
      const call = manualCallOf(query.get('format'), parsed(await requestBody(request, maxBodyBytes)));
      const { text, isError } = await sideRoutes.executeTool(call, context);
      return manualAnswerOf(call, text, isError);
    }
  }
}

const anthropicCount = (tokens: number): JsonObject => ({ input_tokens: tokens });

/** Dialects with a count of their own shape. */
const TOKEN_COUNTS: Readonly<Partial<Record<CodecId, (tokens: number) => JsonObject>>> = {
  gemini: (tokens) => ({ totalTokens: tokens }),
  'openai-responses': (tokens) => ({ object: 'response.input_tokens', input_tokens: tokens }),
};

type ModelList = (models: readonly ListedModel[], query: URLSearchParams) => JsonObject;

/** Dialects with a list of their own shape. */
const MODEL_LISTS: Readonly<Partial<Record<CodecId, ModelList>>> = {
  'anthropic-messages': anthropicModels,
  gemini: geminiModels,
};

/** Google takes contents alone, or a whole request in a field of its own. */
const countedPart = (body: JsonObject): JsonObject =>
  isObject(body.generateContentRequest) ? body.generateContentRequest : body;

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError('invalid-request', `Invalid request format: ${why}`, { cause });
  }
}

function contextOf(
  operation: string,
  dialect: CodecId,
  request: IncomingMessage,
  signal: AbortSignal,
  { callerOf }: SideOptions,
): CallContext {
  return {
    requestId: orderedId(),
    operation,
    dialect,
    caller: callerOf(request.headers),
    signal,
    trace: newTrace(),
    startedAtMs: performance.now(),
  };
}
