import type { Message, Part, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { shortHash } from '../short-hash.ts';
import { mediaOf, partOf, wireCallOf } from './parts.ts';
import { signedId } from './signatures.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

/** A client's conversation. Calls and results that came without ids get ids that tie them together. */
export function decodeMessages(body: JsonObject): Message[] {
  const calls = new CallIds();
  const contents = Array.isArray(body.contents) ? body.contents : [body.contents ?? null];
  const said = inTurns(contents).flatMap((content) => decodeContent(content, calls));
  return [...systemMessages(body.systemInstruction), ...said];
}

const isModels = (content: JsonValue | undefined): boolean => objectOf(content).role === 'model';

/** Chats of Google's SDKs keep a streamed answer as a content for each piece: what the model said in one turn is one. */
function inTurns(contents: readonly JsonValue[]): readonly JsonValue[] {
  const turns: JsonValue[] = [];
  let turn: JsonObject[] | undefined;
  for (const content of contents) {
    if (!isModels(content)) {
      turns.push(content);
      turn = undefined;
    } else if (turn) turn.push(...partsOf(content));
    else {
      turn = [...partsOf(content)];
      turns.push({ role: 'model', parts: turn });
    }
  }
  return turns;
}

function systemMessages(instruction: JsonValue | undefined): Message[] {
  const parts = partsOf(instruction);
  return parts.length > 0 ? [{ role: 'system', parts: parts.map(partOf) }] : [];
}

/** Google's SDKs send lists of parts, but a bare text is met as well. */
const partsOf = (content: JsonValue | undefined): JsonObject[] =>
  typeof content === 'string' ? [{ text: content }] : objectsOf(objectOf(content).parts);

/** Results of functions become a message of their own, ahead of what else the user says. */
function decodeContent(content: JsonValue, calls: CallIds): Message[] {
  const parts = partsOf(content);
  if (isModels(content)) return [{ role: 'assistant', parts: inWhole(parts).map((part) => modelPart(part, calls)) }];
  const results = parts.filter((part) => isObject(part.functionResponse));
  const rest = parts.filter((part) => !isObject(part.functionResponse));
  const messages: Message[] = [];
  if (results.length > 0) messages.push({ role: 'tool', parts: results.map((part) => resultPart(part, calls)) });
  if (rest.length > 0) messages.push({ role: 'user', parts: rest.map(partOf) });
  return messages;
}

/** Google's SDKs keep an answer as the pieces in which it was streamed: what the model said in one go is one text. */
function inWhole(blocks: readonly JsonObject[]): JsonObject[] {
  const whole: JsonObject[] = [];
  for (const block of blocks) {
    const last = whole.at(-1);
    if (last && isPlainText(last) && isPlainText(block))
      whole[whole.length - 1] = { ...last, text: textOf(last.text) + textOf(block.text) };
    else whole.push(block);
  }
  return whole;
}

const isPlainText = (block: JsonObject): boolean => typeof block.text === 'string' && Object.keys(block).length === 1;

function modelPart(block: JsonObject, calls: CallIds): Part {
  if (!isObject(block.functionCall)) return partOf(block);
  const { id, name, input } = wireCallOf(block);
  const call: ToolCallPart = {
    type: 'tool-call',
    id: calls.called(id, name, textOf(block.thoughtSignature)),
    name,
    input,
    origin: originOf(block),
  };
  return call;
}

function resultPart(block: JsonObject, calls: CallIds): ToolResultPart {
  const { id, name, response, parts } = objectOf(block.functionResponse);
  const told = objectOf(response);
  return {
    type: 'tool-result',
    callId: calls.answered(textOf(id), textOf(name)),
    content: [{ type: 'text', text: resultText(told) }, ...objectsOf(parts).flatMap(attachment)],
    isError: told.error !== undefined && told.output === undefined,
    origin: originOf(block),
  };
}

/** `output` and `error` are the API's own words for the whole of a result, `result` is that of Google's SDKs. */
function resultText(response: JsonObject): string {
  const [[key, value] = [], ...more] = Object.entries(response);
  const isWhole = more.length === 0 && (key === 'output' || key === 'error' || key === 'result');
  if (!isWhole) return JSON.stringify(response);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function attachment(block: JsonObject): Part[] {
  const media = mediaOf(block, originOf(block));
  return media ? [media] : [];
}

interface OpenCall {
  readonly given: string;
  readonly name: string;
  readonly id: string;
}

/** The calls of a conversation that wait for their results. */
class CallIds {
  readonly #open: OpenCall[] = [];
  #count = 0;

  /** The call's id: as it came, or the same one each time that this conversation is read. */
  called(given: string, name: string, signature: string): string {
    this.#count += 1;
    const base = given || `call_${shortHash(`${this.#count}:${name}`, 24)}`;
    const id = signedId(base, signature);
    this.#open.push({ given, name, id });
    return id;
  }

  answered(given: string, name: string): string {
    const byId = given === '' ? -1 : this.#open.findIndex((call) => call.given === given);
    const at =
      byId >= 0 ? byId : this.#open.findIndex((call) => call.name === name && (given === '' || call.given === ''));
    const [call] = at >= 0 ? this.#open.splice(at, 1) : [];
    return call?.id ?? given;
  }
}
