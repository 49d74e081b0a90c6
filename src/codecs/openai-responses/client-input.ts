import type { Message, Part, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { type GatewayId, inModelOrder, type Place } from '../gateway-ids.ts';
import { isNativeResult } from '../native-tools.ts';
import { contentParts, messageFields, pictureOf } from './content.ts';
import { foreignReasoning, reasoningText } from './foreign-reasoning.ts';
import { gatewayIds } from './ids.ts';
import { nativeCall, nativeResult } from './native-calls.ts';
import { calledName } from './tool-names.ts';
import { objectsOf, originOf, textOf } from './wire.ts';

export interface Input {
  readonly messages: Message[];
  /** True when items that only the gateway writes were among it, so that the body no longer says the same. */
  readonly rewritten: boolean;
}

/** The conversation that `instructions` and `input` are. */
export function decodeInput({ instructions, input }: JsonObject): Input {
  const conversation = new Conversation();
  conversation.instruct(instructions);
  if (typeof input === 'string') conversation.say('user', contentParts(input, {}));
  for (const item of objectsOf(input)) conversation.add(item);
  return conversation.finished();
}

/** Puts items together into turns: what the model made in one go is one assistant message, its results the next. */
class Conversation {
  readonly #messages: Message[] = [];
  #assistant: Part[] = [];
  #results: ToolResultPart[] = [];
  /** The round of the gateway-run calls in the turn that is being put together. */
  #turn: GatewayId['turn'] | undefined;
  /** Of the gateway's calls in a mixed turn. */
  readonly #places = new Map<Part, Place>();
  #rewritten = false;
  /** Items of native calls by their own ids, by which older results name them. */
  readonly #nativeIds = new Map<string, string>();

  instruct(instructions: JsonValue | undefined): void {
    if (typeof instructions === 'string' && instructions !== '') {
      this.say('system', [{ type: 'text', text: instructions, origin: originOf({ instructions }) }]);
    }
  }

  say(role: 'system' | 'user', parts: readonly Part[]): void {
    this.#flush();
    this.#messages.push({ role, parts });
  }

  add(item: JsonObject): void {
    switch (item.type) {
      case undefined:
      case null:
      case 'message':
        this.#addMessage(item);
        return;
      case 'function_call':
      case 'custom_tool_call':
        this.#addCall(callPart(item));
        return;
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.#results.push(resultPart(item));
        return;
      case 'reasoning':
        this.#addReasoning(item);
        return;
      case 'mcp_call':
        this.#addMcpCall(item);
        return;
      default:
        if (!this.#addNative(item)) this.#addOther(item);
        return;
    }
  }

  finished(): Input {
    this.#flush();
    return { messages: this.#messages, rewritten: this.#rewritten };
  }

  #addMessage(item: JsonObject): void {
    const fields = messageFields(item);
    if (item.role === 'assistant') {
      this.#answer(...contentParts(item.content, fields, 'output_text'));
      return;
    }
    const isSystem = item.role === 'system' || item.role === 'developer';
    this.say(isSystem ? 'system' : 'user', contentParts(item.content, fields));
  }

  #addCall(call: ToolCallPart): void {
    // the results of the gateway's calls in a mixed turn are known before the client's own calls of that turn come
    if (this.#turn?.mixed && this.#results.every((result) => result.origin === undefined)) this.#assistant.push(call);
    else this.#answer(call);
  }

  /** Calls of tools that OpenAI's models know by heart, and what the client made of them. */
  #addNative(item: JsonObject): boolean {
    const call = nativeCall(item);
    if (call) {
      this.#nativeIds.set(textOf(item.id), call.id);
      this.#addCall(call);
      return true;
    }
    if (!isNativeResult(item)) return false;
    const id = textOf(item.call_id) || textOf(item.id);
    this.#results.push(nativeResult(item, this.#nativeIds.get(id) ?? id));
    return true;
  }

  #addReasoning(item: JsonObject): void {
    const foreign = foreignReasoning(item);
    if (foreign) this.#rewritten = true;
    this.#answer(foreign ?? { type: 'reasoning', text: reasoningText(item), origin: originOf(item) });
  }

  #addMcpCall(item: JsonObject): void {
    const ours = gatewayIds.parse(textOf(item.id));
    if (!ours) {
      this.#answer({ type: 'opaque', origin: originOf(item) });
      return;
    }
    this.#rewritten = true;
    const sameTurn = this.#turn?.round === ours.turn.round;
    if (!sameTurn && (this.#turn || this.#results.length > 0)) this.#flush();
    this.#turn = ours.turn;
    const name = `${textOf(item.server_label)}-${textOf(item.name)}`;
    const call: ToolCallPart = { type: 'tool-call', id: ours.callId, name, input: textOf(item.arguments) };
    const index = ours.turn.place;
    if (index !== undefined) this.#places.set(call, { index, gateway: 0 });
    this.#assistant.push(call);
    this.#results.push(gatewayResult(item, ours.callId));
  }

  /** Items without a meaning elsewhere stand where they stood, with whoever they say they come from. */
  #addOther(item: JsonObject): void {
    const part: Part = pictureOf(item) ?? { type: 'opaque', origin: originOf(item) };
    if (item.role === 'developer' || item.role === 'system') this.say('system', [part]);
    else if (item.role === 'user') this.say('user', [part]);
    else this.#answer(part);
  }

  #answer(...parts: readonly Part[]): void {
    if (this.#results.length > 0) this.#flush();
    this.#assistant.push(...parts);
  }

  #flush(): void {
    const parts = this.#turn?.mixed
      ? inModelOrder(this.#assistant, isCall, (part) => this.#places.get(part))
      : this.#assistant;
    if (parts.length > 0) this.#messages.push({ role: 'assistant', parts });
    if (this.#results.length > 0) this.#messages.push({ role: 'tool', parts: this.#results });
    this.#assistant = [];
    this.#results = [];
    this.#turn = undefined;
    this.#places.clear();
  }
}

const isCall = ({ type }: Part): boolean => type === 'tool-call';

/** A call as the model made it. Free text is shown as the one argument `input` of a function. */
export function callPart(item: JsonObject): ToolCallPart {
  const input =
    item.type === 'custom_tool_call' ? JSON.stringify({ input: textOf(item.input) }) : textOf(item.arguments);
  return { type: 'tool-call', id: textOf(item.call_id), name: calledName(item), input, origin: originOf(item) };
}

const resultPart = (item: JsonObject): ToolResultPart => ({
  type: 'tool-result',
  callId: textOf(item.call_id),
  content: contentParts(item.output, {}),
  isError: false,
  origin: originOf(item),
});

function gatewayResult(item: JsonObject, callId: string): ToolResultPart {
  const failure = typeof item.error === 'string' ? item.error : undefined;
  const text = failure ?? textOf(item.output);
  return { type: 'tool-result', callId, content: [{ type: 'text', text }], isError: failure !== undefined };
}
