import { isObject, type JsonObject } from '../../model/json.ts';
import type { ChatRequest, DecodedRequest, RawRequest, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { mediaShownByUser } from '../assistant-media.ts';
import type { EncodedRequest, EncodeTarget } from '../codec.ts';
import { accountForForeign } from '../foreign-fields.ts';
import { JSON_WORDS, lacksJsonWord } from '../json-word.ts';
import { compacted, Ledger } from '../ledger.ts';
import { withMembers } from '../members.ts';
import { wireName } from '../openai-names.ts';
import { systemMediaToldByUser } from '../system-media.ts';
import { WireNames } from '../wire-names.ts';
import { decodeMessages } from './client-messages.ts';
import { fitToModel } from './model-fit.ts';
import type { Writing } from './provider-content.ts';
import { encodeMessages } from './provider-messages.ts';
import { checkRequest } from './schema.ts';
import { decodeSettings, settingsFields } from './settings.ts';
import { withSystemWords } from './system-words.ts';
import { isOlderTool } from './tool-forms.ts';
import { allowing, decodeToolChoice, decodeTools, encodeToolChoice, encodeTools, nameIn } from './tools.ts';
import { objectOf, objectsOf, ownBlock, textOf } from './wire.ts';

export function decodeRequest(body: JsonObject): DecodedRequest {
  checkRequest(body);
  const toolChoice = decodeToolChoice(body);
  const decoded: Writable<DecodedRequest> = {
    messages: decodeMessages(body.messages),
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
  const appends = raw?.codec === 'openai-chat' && messages[raw.messageCount]?.role !== 'tool';
  const names = new WireNames(wireName, appends ? namesIn(raw.body) : undefined);
  const writing: Writing = { target, names, ledger };
  const body = appends ? appendedBody(request, raw, writing) : rebuiltBody(request, writing);
  fitToModel(body, target, ledger);
  const toolNames = names.originals ?? (appends ? undefined : namesOfOlder(request));
  const written = streaming(body, writing);
  const encoded: Writable<EncodedRequest> = { body: written, losses: compacted(ledger.losses) };
  if (toolNames) encoded.toolNames = toolNames;
  return encoded;
}

/** Calls of the older `functions` come back in the newer form, which is not the client's. */
const namesOfOlder = ({ tools }: ChatRequest): ReadonlyMap<string, string> | undefined => {
  const older = tools.filter(({ origin }) => {
    const own = ownBlock(origin);
    return own !== undefined && isOlderTool(own);
  });
  return older.length > 0 ? new Map(older.map(({ name }) => [name, name])) : undefined;
};

const namesIn = (body: JsonObject): ReadonlySet<string> =>
  new Set(objectsOf(body.tools).map((tool) => textOf(objectOf(tool.function).name)));

/** The client's own body; whatever is ours stands behind what is its own, so that prompt caches keep hitting. */
function appendedBody(request: ChatRequest, raw: RawRequest, writing: Writing): JsonObject {
  const { fallbacks: _ours, ...body } = raw.body;
  const { target } = writing;
  body.model = target.model;
  const given = objectsOf(body.messages);
  const messages = encodeMessages(request.messages.slice(raw.messageCount), writing, given.length);
  if (messages.length > 0) body.messages = [...given, ...messages];
  const tools = encodeTools(request.tools.slice(raw.toolCount), writing, objectsOf(body.tools).length);
  appendTools(body, tools, writing);
  const { toolChoice } = request;
  if (toolChoice && !sameChoice(toolChoice, decodeToolChoice(body))) {
    body.tool_choice = encodeToolChoice(toolChoice, request.tools, writing);
    delete body.function_call;
  }
  return body;
}

function appendTools(body: JsonObject, tools: readonly JsonObject[], { ledger }: Writing): void {
  if (tools.length === 0) return;
  // the API takes the older `functions` or `tools`, not both
  const legacy = objectsOf(body.functions).map((definition) => ({ type: 'function', function: definition }));
  if (legacy.length > 0) {
    ledger.rewritten('functions', 'added tools need the newer field "tools"');
    delete body.functions;
  }
  body.tools = [...objectsOf(body.tools), ...legacy, ...tools];
  const choice = allowing(body.tool_choice, tools);
  if (choice === undefined || choice === body.tool_choice) return;
  body.tool_choice = choice;
  ledger.rewritten('tool_choice', 'the added tools are allowed too');
}

function sameChoice(a: ToolChoice, b: ToolChoice | undefined): boolean {
  return a.type === b?.type && (a.type !== 'tool' || (b.type === 'tool' && a.name === b.name));
}

function rebuiltBody(request: ChatRequest, writing: Writing): JsonObject {
  const { ledger, target } = writing;
  accountForForeign(request, 'openai-chat', ledger.losses, CARRIED);
  const tools = encodeTools(request.tools, writing);
  const choice = toolChoiceFor(request, tools, writing);
  const told = systemMediaToldByUser(request.messages, 'openai-chat', ledger.losses);
  const seeing = { codec: 'openai-chat', sees: target.vision === true } as const;
  const messages = encodeMessages(mediaShownByUser(told, seeing, ledger.losses), writing);
  const body = settingsFields(request.settings, target, tools.length > 0, ledger);
  const lacksWord = lacksJsonWord(request.settings, messages, ledger);
  body.model = target.model;
  body.messages = lacksWord ? withSystemWords(messages, JSON_WORDS) : messages;
  if (tools.length > 0) body.tools = tools;
  if (choice) body.tool_choice = choice;
  return body;
}

/** What both of OpenAI's formats have words for. */
const CARRIED = ['.detail', 'json_schema.name', 'json_schema.strict', 'format.name', 'format.strict'] as const;

/** A choice among no tools, or of one that is not offered, would be refused. */
function toolChoiceFor({ toolChoice, tools: known }: ChatRequest, tools: readonly JsonObject[], writing: Writing) {
  const { ledger } = writing;
  if (!toolChoice) return undefined;
  const wire = encodeToolChoice(toolChoice, known, writing);
  const named = isObject(wire) ? nameIn(wire) : undefined;
  const offered = named === undefined || tools.some((tool) => nameIn(tool) === named);
  if (tools.length > 0 && offered) return wire;
  ledger.dropped(
    'tool_choice',
    tools.length === 0 ? 'there are no tools to choose from' : `there is no tool "${named}"`,
  );
  return undefined;
}

/** Sets the stream flag, and asks for the usage that streams otherwise leave out. */
function streaming(body: JsonObject, { target, ledger }: Writing): JsonObject {
  if (!target.stream) {
    if (body.stream !== undefined) body.stream = false;
    delete body.stream_options;
    return body;
  }
  body.stream = true;
  const options = isObject(body.stream_options) ? body.stream_options : {};
  if (options.include_usage !== true) {
    body.stream_options = withMembers(options, { include_usage: true });
    ledger.invented('stream_options.include_usage', 'the gateway counts tokens');
  }
  return body;
}
