import { type Origin, RpcError } from '../mcp/peer.ts';
import type { AnswerSampling } from '../mcp/relay.ts';
import { type CallContext, type ModelCall, newTrace } from '../model/call.ts';
import type { Message, Part } from '../model/content.ts';
import { asGatewayError } from '../model/errors.ts';
import type { FinishReason } from '../model/event.ts';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { ChatRequest } from '../model/request.ts';
import { type ChatResponse, emptyResponse, fold } from '../model/response.ts';

/** JSON-RPC 2.0; -1 is the code that MCP has for a completion that was refused (2025-11-25, sampling, error handling). */
const CODE = { refused: -1, invalidParams: -32602, internalError: -32603 } as const;

const STOP_REASON: Readonly<Partial<Record<FinishReason['kind'], string>>> = {
  stop: 'endTurn',
  'stop-sequence': 'stopSequence',
  length: 'maxTokens',
};

/**
 * Answers `sampling/createMessage` with the gateway's own models, where the client's config allows it: one turn without
 * tools, so that no completion can lead to another call by itself, logged and paid for as the caller's.
 */
export function samplingAnswers(call: ModelCall, newId: () => string): AnswerSampling {
  const spent = new WeakMap<Origin, number>();
  return (config, params, origin, signal) => {
    const { sampling } = config;
    const { model } = sampling ?? {};
    // who offers tools wants to run them itself, which takes a client that knows how
    if (!sampling?.enabled || model === undefined || params.tools !== undefined) return undefined;
    const count = (spent.get(origin) ?? 0) + 1;
    spent.set(origin, count);
    if (count > sampling.max_depth) return Promise.reject(tooMany(config.name, sampling.max_depth));
    return completed(call, chatRequest(model, params, sampling.max_tokens), contextOf(newId(), origin, signal));
  };
}

const tooMany = (client: string, max: number): RpcError =>
  new RpcError(
    CODE.refused,
    `one tool call of MCP client ${client} gets ${max} completions (sampling.max_depth), no more`,
  );

const contextOf = (requestId: string, { caller, requestId: parentId }: Origin, signal: AbortSignal): CallContext => ({
  requestId,
  ...(parentId !== undefined && { parentId }),
  operation: 'mcp_sampling',
  dialect: 'openai-chat',
  caller,
  signal,
  trace: newTrace(),
  startedAtMs: Date.now(),
});

async function completed(call: ModelCall, request: ChatRequest, context: CallContext): Promise<JsonObject> {
  const response = emptyResponse();
  try {
    for await (const { events } of call(request, context)) for (const event of events) fold(response, event);
  } catch (thrown) {
    throw new RpcError(CODE.internalError, `the completion failed: ${asGatewayError(thrown).message}`);
  }
  return resultOf(response, request.model);
}

function resultOf({ parts, model, reason }: ChatResponse, asked: string): JsonObject {
  const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  const stopReason = STOP_REASON[reason.kind];
  return {
    role: 'assistant',
    model: model || asked,
    content: { type: 'text', text },
    ...(stopReason !== undefined && { stopReason }),
  };
}

function chatRequest(model: string, params: JsonObject, maxTokens: number): ChatRequest {
  const { messages, systemPrompt, temperature, stopSequences } = params;
  if (!Array.isArray(messages)) throw new RpcError(CODE.invalidParams, 'params.messages must be an array');
  const asked = typeof params.maxTokens === 'number' ? params.maxTokens : maxTokens;
  const system: Message[] =
    typeof systemPrompt === 'string' ? [{ role: 'system', parts: [{ type: 'text', text: systemPrompt }] }] : [];
  return {
    model,
    stream: false,
    messages: [...system, ...messages.map(messageOf)],
    tools: [],
    settings: {
      maxOutputTokens: Math.min(asked, maxTokens),
      ...(typeof temperature === 'number' && { temperature }),
      ...(Array.isArray(stopSequences) && { stopSequences: stopSequences.map(String) }),
    },
    fallbacks: [],
    untouched: false,
  };
}

function messageOf(message: JsonValue): Message {
  const { role, content } = isObject(message) ? message : {};
  const blocks = Array.isArray(content) ? content : [content];
  return { role: role === 'assistant' ? 'assistant' : 'user', parts: blocks.map(partOf) };
}

function partOf(block: JsonValue | undefined): Part {
  if (isObject(block) && block.type === 'text' && typeof block.text === 'string')
    return { type: 'text', text: block.text };
  if (isObject(block) && (block.type === 'image' || block.type === 'audio')) {
    const { data, mimeType } = block;
    return { type: 'media', mediaType: String(mimeType), source: { type: 'base64', data: String(data) } };
  }
  throw new RpcError(CODE.invalidParams, 'a message for sampling holds text, images and sound');
}
