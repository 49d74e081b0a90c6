import { isObject, type JsonObject } from '../../model/json.ts';
import type { ChatRequest, DecodedRequest, RawRequest, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import type { EncodedRequest, EncodeTarget } from '../codec.ts';
import { accountForForeign } from '../foreign-fields.ts';
import { compacted, Ledger } from '../ledger.ts';
import { systemMediaToldByUser } from '../system-media.ts';
import { WireNames } from '../wire-names.ts';
import { camelCased } from './casing.ts';
import { decodeMessages } from './contents.ts';
import { conversationOf, type WireContent, type WireConversation } from './conversation.ts';
import { wireName } from './names.ts';
import { limit, settingsFields } from './parameters.ts';
import type { Writing } from './provider-parts.ts';
import { checkRequest } from './schema.ts';
import { decodeSettings } from './settings.ts';
import { allowing, decodeToolChoice, decodeTools, encodeToolChoice, encodeTools } from './tools.ts';
import { CODEC, objectOf, objectsOf, textOf } from './wire.ts';

export function decodeRequest(given: JsonObject): DecodedRequest {
  const body = camelCased(given);
  checkRequest(body);
  const toolChoice = decodeToolChoice(body);
  const decoded: Writable<DecodedRequest> = {
    messages: decodeMessages(body),
    tools: decodeTools(body),
    settings: decodeSettings(body),
  };
  if (toolChoice) decoded.toolChoice = toolChoice;
  return decoded;
}

export function encodeRequest(request: ChatRequest, target: EncodeTarget): EncodedRequest {
  // messages first: reading them is what finds out whether the raw body still says the same
  const { messages } = request;
  const { raw } = request;
  const ledger = new Ledger();
  // results that answer calls of the client's own history cannot simply stand at its end
  const given = raw?.codec === CODEC && messages[raw.messageCount]?.role !== 'tool' ? raw : undefined;
  const names = new WireNames(wireName, given && namesIn(camelCased(given.body)));
  const writing: Writing = { target, names, ledger };
  const body = given ? appendedBody(request, given, writing) : rebuiltBody(request, writing);
  const toolNames = names.originals;
  const encoded: Writable<EncodedRequest> = { body, losses: compacted(ledger.losses) };
  if (toolNames) encoded.toolNames = toolNames;
  return encoded;
}

const declarationsIn = (tools: readonly JsonObject[]): JsonObject[] =>
  tools.flatMap((entry) => objectsOf(entry.functionDeclarations));

const namesIn = (body: JsonObject): ReadonlySet<string> =>
  new Set(declarationsIn(objectsOf(body.tools)).map(({ name }) => textOf(name)));

/**
 * The client's own body; whatever is ours stands behind what is its own, so that prompt caches keep hitting. Model and
 * streaming are said in the URL, not in the body.
 */
function appendedBody(request: ChatRequest, raw: RawRequest, writing: Writing): JsonObject {
  const { fallbacks: _1, model: _2, stream: _3, ...body } = camelCased(raw.body);
  const { names, ledger, target } = writing;
  const given = Array.isArray(body.contents) ? body.contents : objectsOf(body.contents);
  const { system, contents } = conversationOf(request.messages.slice(raw.messageCount), writing, given.length);
  if (contents.length > 0) body.contents = [...given, ...asJson(contents)];
  if (system.length > 0) body.systemInstruction = withParts(objectOf(body.systemInstruction), system);
  const tools = encodeTools(request.tools.slice(raw.toolCount), names, ledger, objectsOf(body.tools).length);
  if (tools.length > 0) {
    body.tools = [...objectsOf(body.tools), ...tools];
    if (isObject(body.toolConfig)) body.toolConfig = allowing(body.toolConfig, tools);
  }
  rechoose(body, request.toolChoice, names);
  if (isObject(body.generationConfig)) {
    body.generationConfig = { ...body.generationConfig };
    limit(body.generationConfig, target, ledger);
  }
  return body;
}

const withParts = (content: JsonObject, parts: readonly JsonObject[]): JsonObject => ({
  ...content,
  parts: [...objectsOf(content.parts), ...parts],
});

/** Puts in the request's tool choice if it is no longer the client's. */
function rechoose(body: JsonObject, choice: ToolChoice | undefined, names: WireNames): void {
  if (!choice || sameChoice(choice, decodeToolChoice(body))) return;
  body.toolConfig = { ...objectOf(body.toolConfig), functionCallingConfig: encodeToolChoice(choice, names) };
}

const sameChoice = (a: ToolChoice, b: ToolChoice | undefined): boolean =>
  a.type === b?.type && (a.type !== 'tool' || (b.type === 'tool' && a.name === b.name));

function rebuiltBody(request: ChatRequest, writing: Writing): JsonObject {
  const { names, ledger, target } = writing;
  accountForForeign(request, CODEC, ledger.losses, CARRIED);
  const tools = encodeTools(request.tools, names, ledger);
  const hasFunctions = tools.some((entry) => entry.functionDeclarations !== undefined);
  const told = systemMediaToldByUser(request.messages, CODEC, ledger.losses);
  const { system, contents } = startedByUser(conversationOf(told, writing), ledger);
  const body = settingsFields(request.settings, target, hasFunctions, ledger);
  body.contents = asJson(contents);
  if (system.length > 0) body.systemInstruction = { parts: system };
  if (tools.length > 0) body.tools = tools;
  if (hasFunctions) rechoose(body, offered(request.toolChoice, tools, writing), names);
  else if (request.toolChoice) {
    ledger.dropped('toolConfig', 'there are no functions to choose from');
  }
  return body;
}

/** Where Google's own OpenAI-compatible API puts the signature of a call. */
const CARRIED = ['.extra_content'] as const;

/** A choice of a function that is not declared would be refused. */
function offered(choice: ToolChoice | undefined, tools: readonly JsonObject[], { names, ledger }: Writing) {
  if (choice?.type !== 'tool') return choice;
  const name = names.of(choice.name);
  if (declarationsIn(tools).some((declaration) => declaration.name === name)) return choice;
  ledger.dropped('toolConfig', `there is no function "${name}"`);
  return undefined;
}

/** A conversation must have contents, and begin with the user. */
function startedByUser({ system, contents }: WireConversation, ledger: Ledger): WireConversation {
  if (contents.length === 0 && system.length > 0) {
    ledger.rewritten('systemInstruction', 'a conversation needs a user message');
    return { system: [], contents: [{ role: 'user', parts: system }] };
  }
  if (contents[0]?.role !== 'model') return { system, contents };
  ledger.invented('contents.0', 'a conversation must begin with the user');
  return { system, contents: [{ role: 'user', parts: [{ text: '(start of conversation)' }] }, ...contents] };
}

/** Interfaces have no index signature; these hold nothing but JSON. */
const asJson = (contents: readonly WireContent[]): JsonObject[] => contents.map((content) => ({ ...content }));
