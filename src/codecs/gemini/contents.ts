import type { Message, Part, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { shortHash } from '../short-hash.ts';
import { addUserTurn } from '../user-turn.ts';
import { mediaOf, partOf, wireCallOf } from './parts.ts';
import { signedId } from './signatures.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

/** A client's conversation. Calls and results that came without ids get ids that tie them together. */
export function decodeMessages(body: JsonObject): Message[] {
  const calls = new CallIds();
  const contents = Array.isArray(body.contents) ? body.contents : [body.contents ?? null];
  const messages: Message[] = [];
  const instructions = partsOf(body.systemInstruction).map(partOf);
  if (instructions.length > 0) messages.push({ role: 'system', parts: instructions });
  for (const content of inTurns(contents)) {
    const blocks = partsOf(content);
    if (isModels(content)) {
      messages.push({ role: 'assistant', parts: inWhole(blocks).map((block) => modelPart(block, calls)) });
    } else if (blocks.length > 0) {
      addUserTurn(
        messages,
        blocks.map((block) => userPart(block, calls)),
      );
    }
  }
  return messages;
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

/** Google's SDKs send lists of parts, but a bare text is met as well. */
const partsOf = (content: JsonValue | undefined): JsonObject[] =>
  typeof content === 'string' ? [{ text: content }] : objectsOf(objectOf(content).parts);

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

const userPart = (block: JsonObject, calls: CallIds): Part =>
  isObject(block.functionResponse) ? resultPart(block, block.functionResponse, calls) : partOf(block);

function resultPart(block: JsonObject, functionResponse: JsonObject, calls: CallIds): ToolResultPart {
  const { id, name, response, parts } = functionResponse;
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
  const keys = Object.keys(response);
  const [key = ''] = keys;
  if (keys.length !== 1 || !WHOLE.has(key)) return JSON.stringify(response);
  const value = response[key];
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const WHOLE: ReadonlySet<string> = new Set(['output', 'error', 'result']);

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
