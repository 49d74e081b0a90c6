import type { Message } from '../../model/content.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { ChatRequest, DecodedRequest, RawRequest } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { asJson, type WireMessage } from '../alternating.ts';
import { mediaShownByUser } from '../assistant-media.ts';
import { areAnthropics } from '../body.ts';
import type { EncodedRequest, EncodeTarget } from '../codec.ts';
import { accountForForeign } from '../foreign-fields.ts';
import { compacted, Ledger } from '../ledger.ts';
import { systemMediaToldByUser } from '../system-media.ts';
import { addUserTurn } from '../user-turn.ts';
import { asksByTool } from './answer-tool.ts';
import { partsOf } from './blocks.ts';
import { conversationOf, messagesOf } from './conversation.ts';
import { hasUnsignedThinking, withoutGatewayBlocks } from './history.ts';
import { uniqueIds } from './ids.ts';
import { fitToModel } from './model-fit.ts';
import { limited, reconciled, settingsFields } from './parameters.ts';
import { checkRequest } from './schema.ts';
import { decodeSettings } from './settings.ts';
import { createToolNames } from './tool-names.ts';
import { decodeToolChoice, decodeTools, encodeToolChoice, encodeTools, ownProviderTool } from './tools.ts';
import type { Writing } from './upstream-blocks.ts';
import { CODEC, objectOf, objectsOf } from './wire.ts';

export function decodeRequest(body: JsonObject): DecodedRequest {
  checkRequest(body);
  const given = objectsOf(body.messages);
  const history = withoutGatewayBlocks(given);
  const toolChoice = decodeToolChoice(body.tool_choice);
  const decoded: Writable<DecodedRequest> = {
    messages: decodeMessages(body.system, history),
    tools: decodeTools(body.tools),
    settings: decodeSettings(body),
  };
  if (toolChoice) decoded.toolChoice = toolChoice;
  if (history !== given || hasUnsignedThinking(given)) decoded.rewritten = true;
  return decoded;
}

function decodeMessages(system: JsonValue | undefined, history: readonly JsonObject[]): Message[] {
  const messages: Message[] = [];
  const instructions = partsOf(system);
  if (instructions.length > 0) messages.push({ role: 'system', parts: instructions });
  for (const { role, content } of history) {
    const parts = partsOf(content);
    if (role === 'assistant' || role === 'system') messages.push({ role, parts });
    else addUserTurn(messages, parts);
  }
  return messages;
}

export function encodeRequest(request: ChatRequest, target: EncodeTarget): EncodedRequest {
  // messages first: reading them is what finds out whether the raw body still says the same
  const { messages } = request;
  const { raw } = request;
  const writing: Writing = {
    names: createToolNames(),
    callIds: uniqueIds(target.toolCallId),
    ledger: new Ledger(),
  };
  const appends = raw?.codec === CODEC && messages[raw.messageCount]?.role !== 'tool';
  const body = appends ? appendedBody(request, raw, target, writing) : rebuiltBody(request, target, writing);
  const toolNames = writing.names.changed();
  const encoded: Writable<EncodedRequest> = { body, losses: compacted(writing.ledger.losses) };
  if (toolNames) encoded.toolNames = toolNames;
  if (asksByTool(body)) encoded.answersByTool = true;
  return encoded;
}

/** The client's own body; whatever is ours stands behind what is its own, so that prompt caches keep hitting. */
function appendedBody(request: ChatRequest, raw: RawRequest, target: EncodeTarget, writing: Writing): JsonObject {
  const { losses } = writing.ledger;
  const { fallbacks, ...body } = raw.body;
  if (areAnthropics(CODEC, fallbacks)) body.fallbacks = fallbacks;
  body.model = target.model;
  if (target.stream || body.stream !== undefined) body.stream = target.stream;
  const messages = messagesOf(request.messages.slice(raw.messageCount), raw.messageCount, writing);
  const tools = encodeTools(request.tools.slice(raw.toolCount), writing.names, losses, raw.toolCount);
  if (messages.length > 0) body.messages = [...objectsOf(body.messages), ...asJson(messages)];
  if (tools.length > 0 || hasNestedModel(body.tools)) {
    body.tools = [...objectsOf(body.tools).map(ownProviderTool), ...tools];
  }
  const rechosen = rechoose(body, request, writing);
  const lowered = limited(body, target, losses);
  const fitted = fitToModel(body, target, losses);
  return messages.length > 0 || rechosen || lowered || fitted ? reconciled(body, losses) : body;
}

const hasNestedModel = (tools: JsonValue | undefined): boolean =>
  objectsOf(tools).some((tool) => ownProviderTool(tool) !== tool);

/** Puts in the request's tool choice if it is no longer the client's; says whether it did. */
function rechoose(body: JsonObject, { toolChoice }: ChatRequest, { names }: Writing): boolean {
  if (!toolChoice) return false;
  const given = objectOf(body.tool_choice);
  const wanted = encodeToolChoice(toolChoice, names);
  if (given.type === wanted.type && given.name === wanted.name) return false;
  const serial = given.disable_parallel_tool_use === true && toolChoice.type !== 'none';
  body.tool_choice = serial ? { ...wanted, disable_parallel_tool_use: true } : wanted;
  return true;
}

function rebuiltBody(request: ChatRequest, target: EncodeTarget, writing: Writing): JsonObject {
  const { ledger } = writing;
  const { losses } = ledger;
  accountForForeign(request, CODEC, losses);
  const told = systemMediaToldByUser(request.messages, CODEC, losses);
  const shown = mediaShownByUser(told, { codec: CODEC, sees: target.vision !== false }, losses);
  const { system, messages } = conversationOf(shown, writing);
  const tools = encodeTools(request.tools, writing.names, losses);
  const body = settingsFields(request.settings, target, losses);
  body.model = target.model;
  body.messages = asJson(withoutTrailingSpace(messages, ledger));
  if (system.length > 0) body.system = system;
  if (tools.length > 0) body.tools = tools;
  if (target.stream) body.stream = true;
  const choice = toolChoiceOf(request, writing);
  if (choice && tools.length > 0) body.tool_choice = choice;
  else if (request.toolChoice) {
    ledger.dropped('tool_choice', 'there are no tools to choose from');
  }
  limited(body, target, losses);
  fitToModel(body, target, losses);
  return reconciled(body, losses);
}

function toolChoiceOf({ toolChoice, settings }: ChatRequest, { names }: Writing): JsonObject | undefined {
  if (settings.parallelToolCalls !== false || toolChoice?.type === 'none') {
    return toolChoice && encodeToolChoice(toolChoice, names);
  }
  return { ...encodeToolChoice(toolChoice ?? { type: 'auto' }, names), disable_parallel_tool_use: true };
}

/** A prefill, the assistant's text at the very end, must not end in white space. */
function withoutTrailingSpace(messages: readonly WireMessage[], ledger: Ledger): readonly WireMessage[] {
  const last = messages.at(-1);
  const block = last?.content.at(-1);
  if (last?.role !== 'assistant' || block?.type !== 'text' || typeof block.text !== 'string') return messages;
  const text = block.text.trimEnd();
  if (text === block.text) return messages;
  const at = `messages.${messages.length - 1}.content.${last.content.length - 1}.text`;
  ledger.rewritten(at, 'the last assistant text must not end in white space');
  return [...messages.slice(0, -1), { ...last, content: [...last.content.slice(0, -1), { ...block, text }] }];
}
