import { isObject, type JsonObject } from '../../model/json.ts';
import type { ChatRequest, DecodedRequest, RawRequest, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { asJson, type WireMessage } from '../alternating.ts';
import { mediaShownByUser } from '../assistant-media.ts';
import type { EncodedRequest, EncodeTarget } from '../codec.ts';
import { accountForForeign } from '../foreign-fields.ts';
import { compacted, Ledger } from '../ledger.ts';
import { systemMediaToldByUser } from '../system-media.ts';
import { WireNames } from '../wire-names.ts';
import { conversationOf, messagesOf } from './conversation.ts';
import { withoutCitationsBlocks } from './foreign-citations.ts';
import { uniqueIds, wireName } from './ids.ts';
import { documentNames } from './media.ts';
import { traitsOf } from './models.ts';
import { limit, settingsFields } from './parameters.ts';
import { decodeMessages } from './parts.ts';
import type { Writing } from './provider-blocks.ts';
import { checkRequest } from './schema.ts';
import { decodeSettings } from './settings.ts';
import { decodeToolChoice, decodeTools, encodeToolChoice, encodeTools, toolsOfHistory } from './tools.ts';
import { CODEC, objectOf, objectsOf, textOf } from './wire.ts';

export function decodeRequest(body: JsonObject): DecodedRequest {
  checkRequest(body);
  const given = objectsOf(body.messages);
  const history = withoutCitationsBlocks(given);
  const toolChoice = decodeToolChoice(body);
  const decoded: Writable<DecodedRequest> = {
    messages: decodeMessages(body.system, history),
    tools: decodeTools(body),
    settings: decodeSettings(body),
  };
  if (toolChoice) decoded.toolChoice = toolChoice;
  if (history !== given) decoded.rewritten = true;
  return decoded;
}

export function encodeRequest(request: ChatRequest, target: EncodeTarget): EncodedRequest {
  // messages first: reading them is what finds out whether the raw body still says the same
  const { messages } = request;
  const { raw } = request;
  const ledger = new Ledger();
  // results that answer calls of the client's own history cannot simply stand at its end
  const given = raw?.codec === CODEC && messages[raw.messageCount]?.role !== 'tool' ? raw : undefined;
  const names = new WireNames(wireName, given && namesIn(given.body));
  const writing: Writing = {
    traits: traitsOf(`${target.model} ${request.model}`),
    sees: target.vision,
    names,
    callIds: uniqueIds(target.toolCallId),
    documentNames: documentNames(),
    ledger,
  };
  const body = given ? appendedBody(request, given, target, writing) : rebuiltBody(request, target, writing);
  const toolNames = names.originals;
  const encoded: Writable<EncodedRequest> = { body, losses: compacted(ledger.losses) };
  if (toolNames) encoded.toolNames = toolNames;
  return encoded;
}

const namesIn = (body: JsonObject): ReadonlySet<string> =>
  new Set(objectsOf(objectOf(body.toolConfig).tools).map(({ toolSpec }) => textOf(objectOf(toolSpec).name)));

/**
 * The client's own body; whatever is ours stands behind what is its own, so that prompt caches keep hitting. Model and
 * streaming are said in the URL, not in the body.
 */
function appendedBody(request: ChatRequest, raw: RawRequest, target: EncodeTarget, writing: Writing): JsonObject {
  const { fallbacks: _1, model: _2, stream: _3, modelId: _4, ...body } = raw.body;
  const messages = messagesOf(request.messages.slice(raw.messageCount), raw.messageCount, writing);
  if (messages.length > 0) body.messages = [...objectsOf(body.messages), ...asJson(messages)];
  const given = objectOf(body.toolConfig);
  const tools = encodeTools(request.tools.slice(raw.toolCount), writing, objectsOf(given.tools).length);
  if (tools.length > 0) body.toolConfig = { ...given, tools: [...objectsOf(given.tools), ...tools] };
  rechoose(body, request.toolChoice, writing);
  if (isObject(body.inferenceConfig)) {
    body.inferenceConfig = { ...body.inferenceConfig };
    limit(body.inferenceConfig, target, writing.ledger);
  }
  return body;
}

/** Puts in the request's tool choice if it is no longer the client's. */
function rechoose(body: JsonObject, choice: ToolChoice | undefined, { names }: Writing): void {
  if (!choice || !isObject(body.toolConfig) || sameChoice(choice, decodeToolChoice(body))) return;
  const { toolChoice: _theirs, ...config } = body.toolConfig;
  const written = encodeToolChoice(choice, names);
  body.toolConfig = { ...config, ...(written && { toolChoice: written }) };
}

const sameChoice = (a: ToolChoice, b: ToolChoice | undefined): boolean =>
  a.type === b?.type && (a.type !== 'tool' || (b.type === 'tool' && a.name === b.name));

/** Cache marks become cache points, or are accounted for where a model takes none. */
const CARRIED = ['.cache_control', '.signature'] as const;

function rebuiltBody(request: ChatRequest, target: EncodeTarget, writing: Writing): JsonObject {
  const { traits, ledger } = writing;
  accountForForeign(request, CODEC, ledger.losses, CARRIED);
  const sees = target.vision ?? traits.isClaude;
  const told = systemMediaToldByUser(request.messages, CODEC, ledger.losses);
  const shown = mediaShownByUser(told, { codec: CODEC, sees }, ledger.losses);
  const { system, messages } = conversationOf(shown, writing);
  const wire = asJson(withoutTrailingSpace(messages, writing));
  const fields = settingsFields(request.settings, target, traits, ledger);
  const thinks = objectOf(fields.additionalModelRequestFields).thinking !== undefined;
  const toolConfig = toolConfigOf(request, wire, thinks, writing);
  fields.messages = wire;
  if (system.length > 0) fields.system = system;
  if (toolConfig) fields.toolConfig = toolConfig;
  return fields;
}

/** Undefined where there is nothing to call. A history with calls wants its tools even if none may be called now. */
function toolConfigOf(
  request: ChatRequest,
  messages: readonly JsonObject[],
  thinks: boolean,
  writing: Writing,
): JsonObject | undefined {
  const { ledger, names } = writing;
  const { toolChoice: choice } = request;
  if (choice?.type === 'none' && toolsOfHistory(messages).length === 0) {
    ledger.dropped('toolConfig.toolChoice', 'Converse has no word for "none"');
    for (const place of request.tools.keys()) {
      ledger.dropped(`tools.${place}`, 'without a word for "none", no tools are offered');
    }
    return undefined;
  }
  const tools = encodeTools(request.tools, writing);
  if (tools.every((entry) => !entry.toolSpec && !entry.systemTool)) {
    if (choice) ledger.dropped('toolConfig.toolChoice', 'there are no tools to choose from');
    const called = toolsOfHistory(messages);
    if (called.length === 0) return undefined;
    ledger.invented('toolConfig.tools', 'Bedrock wants the tools of a conversation that holds calls');
    return { tools: called };
  }
  if (choice?.type === 'none') ledger.dropped('toolConfig.toolChoice', 'Converse has no word for "none"');
  const toolChoice = choice && choiceOf(choice, tools, thinks, writing);
  const written = toolChoice && encodeToolChoice(toolChoice, names);
  return written ? { tools, toolChoice: written } : { tools };
}

/** Claude allows no forced tool while it thinks; a tool that is not offered cannot be chosen. */
function choiceOf(
  choice: ToolChoice,
  tools: readonly JsonObject[],
  thinks: boolean,
  { ledger, names, traits }: Writing,
): ToolChoice | undefined {
  if (traits.choices === 'none') {
    if (choice.type !== 'auto') ledger.dropped('toolConfig.toolChoice', 'this model cannot be told which tool to call');
    return undefined;
  }
  if (thinks && (choice.type === 'required' || choice.type === 'tool')) {
    ledger.rewritten('toolConfig.toolChoice', 'thinking allows no forced tool');
    return { type: 'auto' };
  }
  if (choice.type !== 'tool') return choice;
  const name = names.of(choice.name);
  if (tools.some(({ toolSpec }) => objectOf(toolSpec).name === name)) {
    if (traits.choices === 'all') return choice;
    ledger.rewritten('toolConfig.toolChoice', 'this model can be told to call a tool, but not which');
    return { type: 'required' };
  }
  ledger.dropped('toolConfig.toolChoice', `there is no tool "${name}"`);
  return undefined;
}

/** A prefill, the assistant's text at the very end, must not end in white space. */
function withoutTrailingSpace(messages: readonly WireMessage[], { ledger }: Writing): readonly WireMessage[] {
  const last = messages.at(-1);
  const block = last?.content.at(-1);
  if (last?.role !== 'assistant' || typeof block?.text !== 'string') return messages;
  const text = block.text.trimEnd();
  if (text === block.text) return messages;
  ledger.rewritten(`messages.${messages.length - 1}.content`, 'the last assistant text must not end in white space');
  return [...messages.slice(0, -1), { ...last, content: [...last.content.slice(0, -1), { ...block, text }] }];
}
