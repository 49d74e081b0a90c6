import { isObject, type JsonObject } from '../../model/json.ts';
import { lookFor } from '../../model/marks.ts';
import { type GatewayId, inModelOrder, type Place } from '../gateway-ids.ts';
import { withoutForeignCitations } from './foreign-citations.ts';
import { withoutForeignSearches } from './foreign-search.ts';
import { gatewayIds } from './ids.ts';
import { objectsOf, textOf } from './wire.ts';

/** The end of the prefixes of all ids that the gateway makes here: one search finds calls that it ran, and searches. */
const ID_MARK = 'toolu_bf';

/**
 * Whether a body may hold blocks in its history that only we write, so that it cannot travel as it came: calls that the
 * gateway ran, thinking of a model that signs nothing, and pages that it named. Searches, never parses.
 */
export const hasGatewayBlocks = lookFor(
  ...[ID_MARK, '"signature":""', '"signature": ""', '"encrypted_index":""', '"encrypted_index": ""'],
);

/**
 * The conversation as a provider knows it: gateway-run calls become ordinary tool_use and tool_result blocks, split
 * into the turns in which they happened. The same array when there is nothing of ours inside.
 */
export function withoutGatewayBlocks(given: readonly JsonObject[]): readonly JsonObject[] {
  const messages = given.some(isSearching) ? given.map(withoutSearches) : given;
  if (!messages.some((message) => blocksOf(message).some(gatewayIdOf))) return messages;
  const turns = new Turns();
  for (const message of messages) {
    if (message.role === 'assistant') turns.addAssistant(message);
    else turns.addOther(message);
  }
  return turns.finished();
}

const isSearching = (message: JsonObject): boolean => withoutSearches(message) !== message;

function withoutSearches(message: JsonObject): JsonObject {
  if (message.role !== 'assistant' || !Array.isArray(message.content)) return message;
  const blocks = blocksOf(message);
  const content = withoutForeignCitations(withoutForeignSearches(blocks));
  return content === blocks ? message : { ...message, content: [...content] };
}

/** An unsigned thinking block was made by another model: no provider of this format would take it back. */
export const hasUnsignedThinking = (messages: readonly JsonObject[]): boolean =>
  messages.some(
    (message) =>
      message.role === 'assistant' && blocksOf(message).some((block) => block.type === 'thinking' && !block.signature),
  );

const blocksOf = (message: JsonObject): JsonObject[] => objectsOf(message.content);

/** The id of a block that shows a gateway-run call or its result; undefined for every other block. */
function gatewayIdOf(block: JsonObject): GatewayId | undefined {
  if (block.type === 'mcp_tool_use') return gatewayIds.parse(textOf(block.id));
  if (block.type === 'mcp_tool_result') return gatewayIds.parse(textOf(block.tool_use_id));
  return undefined;
}

/** Takes shown assistant messages apart again. `#results` are answers that stand before the next assistant turn. */
class Turns {
  readonly #messages: JsonObject[] = [];
  #assistant: JsonObject[] = [];
  #results: JsonObject[] = [];
  #round: number | undefined;
  #mixed = false;
  /** Of the gateway's calls in a mixed turn. */
  readonly #places = new Map<JsonObject, Place>();
  /** Of the chain of gateways that took part in a mixed turn. */
  #gateway = 0;

  addAssistant(message: JsonObject): void {
    this.#flush();
    const blocks = blocksOf(message);
    if (!blocks.some(gatewayIdOf)) {
      this.#messages.push(message);
      return;
    }
    for (const block of blocks) this.#addBlock(block);
    this.#flushAssistant();
  }

  /** The results of a mixed turn stand in one message with those that the client brings. */
  addOther(message: JsonObject): void {
    if (this.#results.length > 0 && message.role === 'user') {
      const content =
        typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : blocksOf(message);
      this.#messages.push({ ...message, content: [...this.#results, ...content] });
      this.#results = [];
      return;
    }
    this.#flush();
    this.#messages.push(message);
  }

  finished(): readonly JsonObject[] {
    this.#flush();
    return this.#messages;
  }

  #addBlock(block: JsonObject): void {
    const ours = gatewayIdOf(block);
    if (ours && block.type === 'mcp_tool_result') {
      this.#results.push(asToolResult(block, ours));
      return;
    }
    const startsTurn = ours
      ? this.#round !== undefined && ours.turn.round !== this.#round
      : this.#results.length > 0 && !(this.#mixed && block.type === 'tool_use');
    if (startsTurn) this.#flush();
    // one gateway shows the calls of a mixed turn before their results; behind these the next one in a chain goes on
    else if (ours && this.#results.length > 0) this.#gateway += 1;
    if (ours) {
      this.#round = ours.turn.round;
      this.#mixed = ours.turn.mixed;
    }
    const told = ours ? asToolUse(block, ours) : block;
    const index = ours?.turn.place;
    if (index !== undefined) this.#places.set(told, { index, gateway: this.#gateway });
    this.#assistant.push(told);
  }

  #flush(): void {
    this.#flushAssistant();
    if (this.#results.length > 0) this.#messages.push({ role: 'user', content: this.#results });
    this.#results = [];
    this.#round = undefined;
    this.#mixed = false;
    this.#gateway = 0;
  }

  #flushAssistant(): void {
    const content = this.#mixed
      ? inModelOrder(this.#assistant, isCall, (block) => this.#places.get(block))
      : this.#assistant;
    if (content.length > 0) this.#messages.push({ role: 'assistant', content });
    this.#assistant = [];
    this.#places.clear();
  }
}

const isCall = ({ type }: JsonObject): boolean => type === 'tool_use';

/** Other fields, such as a cache mark, stay on the block. */
function asToolUse(block: JsonObject, { callId }: GatewayId): JsonObject {
  const { server_name: server, ...rest } = block;
  const input = isObject(block.input) ? block.input : {};
  const name = server ? `${textOf(server)}-${textOf(block.name)}` : textOf(block.name);
  return { ...rest, type: 'tool_use', id: callId, name, input };
}

const asToolResult = (block: JsonObject, { callId }: GatewayId): JsonObject => ({
  ...block,
  type: 'tool_result',
  tool_use_id: callId,
});
