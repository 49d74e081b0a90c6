import type { Message, TextPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import type { ChatRequest, DecodedRequest, RawRequest, Settings, ToolChoice } from '../../model/request.ts';
import type { Writable } from '../../model/writable.ts';
import { mediaShownByUser } from '../assistant-media.ts';
import type { EncodedRequest, EncodeTarget } from '../codec.ts';
import { accountForForeign } from '../foreign-fields.ts';
import { JSON_WORDS, lacksJsonWord } from '../json-word.ts';
import { compacted, Ledger } from '../ledger.ts';
import { BILLING_HEADER_LEFT_OUT, isBillingHeader } from '../left-out-text.ts';
import { wireName } from '../openai-names.ts';
import { WireNames } from '../wire-names.ts';
import { decodeInput } from './client-input.ts';
import { contentParts } from './content.ts';
import { fitToModel } from './model-fit.ts';
import type { Writing } from './provider-content.ts';
import { encodeInput } from './provider-input.ts';
import { checkRequest } from './schema.ts';
import { decodeSettings, ENCRYPTED_REASONING, limit, settingsFields } from './settings.ts';
import { allowing, decodeToolChoice, decodeTools, encodeToolChoice, encodeTools } from './tools.ts';
import { CODEC, objectsOf, ownBlock, textOf } from './wire.ts';

export function decodeRequest(body: JsonObject): DecodedRequest {
  checkRequest(body);
  const { messages, rewritten } = decodeInput(body);
  const toolChoice = decodeToolChoice(body);
  const decoded: Writable<DecodedRequest> = {
    messages,
    tools: decodeTools(body),
    settings: decodeSettings(body, toolChoice === undefined),
  };
  if (toolChoice) decoded.toolChoice = toolChoice;
  if (rewritten) decoded.rewritten = rewritten;
  return decoded;
}

export function encodeRequest(request: ChatRequest, target: EncodeTarget): EncodedRequest {
  // messages first: reading them is what finds out whether the raw body still says the same
  const { messages } = request;
  const { raw } = request;
  const ledger = new Ledger();
  // results that answer calls of the client's own history cannot simply stand at its end
  const appends = raw?.codec === CODEC && messages[raw.messageCount]?.role !== 'tool';
  const names = new WireNames(wireName, appends ? namesIn(raw.body) : undefined);
  const client = appends ? raw.body : (ownBlock(request.settings.origin) ?? { store: false });
  const writing: Writing = {
    target,
    names,
    ledger,
    isStored: client.store !== false,
    continues: Boolean(client.previous_response_id ?? client.conversation),
  };
  const body = appends ? appendedBody(request, raw, writing) : rebuiltBody(request, writing);
  fitToModel(body, target, ledger);
  const encoded: Writable<EncodedRequest> = { body: streaming(body, target), losses: compacted(ledger.losses) };
  if (names.originals) encoded.toolNames = names.originals;
  return encoded;
}

const namesIn = (body: JsonObject): ReadonlySet<string> =>
  new Set(objectsOf(body.tools).map((tool) => textOf(tool.name)));

/** The client's own body; whatever is ours stands behind what is its own, so that prompt caches keep hitting. */
function appendedBody(request: ChatRequest, raw: RawRequest, writing: Writing): JsonObject {
  const { fallbacks: _ours, ...body } = raw.body;
  const { names, ledger, target } = writing;
  body.model = target.model;
  const given = inputItems(body);
  const items = encodeInput(request.messages.slice(raw.messageCount), writing, given.length);
  if (items.length > 0) body.input = [...given, ...items];
  const tools = encodeTools(request.tools.slice(raw.toolCount), names, ledger, objectsOf(body.tools).length);
  if (tools.length > 0) {
    appendTools(body, tools, ledger);
    askForThinking(body, writing);
  }
  const { toolChoice } = request;
  if (toolChoice && !sameChoice(toolChoice, decodeToolChoice(body))) {
    body.tool_choice = encodeToolChoice(toolChoice, request.tools, names);
  }
  limit(body, target, ledger);
  return body;
}

/** `input` as a list; a text is what the user says. */
function inputItems({ input }: JsonObject): JsonObject[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : objectsOf(input);
}

function appendTools(body: JsonObject, tools: readonly JsonObject[], ledger: Ledger): void {
  body.tools = [...objectsOf(body.tools), ...tools];
  const choice = allowing(body.tool_choice, tools);
  if (choice === undefined || choice === body.tool_choice) return;
  body.tool_choice = choice;
  ledger.rewritten('tool_choice', 'the added tools are allowed too');
}

/** A loop over tools gives the model its own thinking back, which is nowhere to be found unless stored or encrypted. */
function askForThinking(body: JsonObject, { isStored, target, ledger }: Writing): void {
  const include = Array.isArray(body.include) ? body.include : [];
  if (isStored || target.reasoning !== true || include.includes(ENCRYPTED_REASONING)) return;
  body.include = [...include, ENCRYPTED_REASONING];
  ledger.invented('include', 'thinking between rounds of tools must be encrypted where nothing is stored');
}

function sameChoice(a: ToolChoice, b: ToolChoice | undefined): boolean {
  return a.type === b?.type && (a.type !== 'tool' || (b.type === 'tool' && a.name === b.name));
}

function rebuiltBody(request: ChatRequest, writing: Writing): JsonObject {
  const { names, ledger, target } = writing;
  accountForForeign(request, CODEC, ledger.losses, CARRIED);
  const shown = mediaShownByUser(request.messages, { codec: CODEC, sees: target.vision === true }, ledger.losses);
  const { instructions, messages } = withInstructions(shown, ledger);
  const tools = encodeTools(request.tools, names, ledger);
  const choice = toolChoiceFor(request, tools, writing);
  const body = settingsFields(request.settings, target, tools.length > 0, ledger);
  body.model = target.model;
  if (instructions !== '') body.instructions = instructions;
  body.input = sayingJson(encodeInput(messages, writing), request.settings, ledger);
  if (tools.length > 0) body.tools = tools;
  if (choice !== undefined) body.tool_choice = choice;
  return body;
}

const sayingJson = (input: JsonObject[], settings: Settings, ledger: Ledger): JsonObject[] =>
  lacksJsonWord(settings, input, ledger) ? [SAYS_JSON, ...input] : input;

/** Instructions are no input messages, which are searched for the word. */
const SAYS_JSON: JsonObject = {
  type: 'message',
  role: 'developer',
  content: [{ type: 'input_text', text: JSON_WORDS }],
};

/** What both of OpenAI's formats have words for. */
const CARRIED = ['.detail', 'json_schema.name', 'json_schema.strict', 'format.name', 'format.strict'] as const;

/** Leading system messages of other formats are `instructions`; this format's own stay the items that they were. */
function withInstructions(
  messages: readonly Message[],
  ledger: Ledger,
): { instructions: string; messages: readonly Message[] } {
  const texts: string[] = [];
  let count = 0;
  for (const message of messages) {
    if (!isInstruction(message)) break;
    for (const part of message.parts) if (part.type === 'text') instruct(texts, part, ledger);
    count += 1;
  }
  if (count < messages.length) return { instructions: texts.join('\n\n'), messages: messages.slice(count) };
  // the API wants an input
  return { instructions: '', messages: [{ role: 'user', parts: contentParts(texts.join('\n\n'), {}) }] };
}

function instruct(texts: string[], { text }: TextPart, ledger: Ledger): void {
  if (isBillingHeader(text)) ledger.dropped('instructions', BILLING_HEADER_LEFT_OUT);
  else texts.push(text);
}

/** Whether a message is the client's `instructions`, or a system message of text in another format. */
function isInstruction({ role, parts }: Message): boolean {
  if (role !== 'system') return false;
  return parts.every((part) => {
    const own = ownBlock(part.origin);
    return part.type === 'text' && (own === undefined || typeof own.instructions === 'string');
  });
}

/** A choice among no tools, or of one that is not offered, would be refused. */
function toolChoiceFor({ toolChoice, tools }: ChatRequest, written: readonly JsonObject[], writing: Writing) {
  if (!toolChoice) return undefined;
  const offered = toolChoice.type !== 'tool' || tools.some(({ name }) => name === toolChoice.name);
  if (written.length > 0 && offered) return encodeToolChoice(toolChoice, tools, writing.names);
  const named = toolChoice.type === 'tool' ? `there is no tool "${toolChoice.name}"` : 'there are no tools';
  writing.ledger.dropped('tool_choice', written.length === 0 ? 'there are no tools to choose from' : named);
  return undefined;
}

function streaming(body: JsonObject, { stream }: EncodeTarget): JsonObject {
  if (stream || body.stream !== undefined) body.stream = stream;
  if (!stream) delete body.stream_options;
  return body;
}
