import type { Message, Part, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import type { FunctionTool } from '../../model/request.ts';
import { turnsOf } from '../server-turns.ts';
import { approvalIds } from './ids.ts';
import { CLIENT_SEARCH } from './tool-names.ts';
import { decodeTools } from './tools.ts';
import { objectOf, ownBlock, textOf } from './wire.ts';

export interface ExpandedHistory {
  readonly messages: readonly Message[];
  /** Labels of the servers whose tools the client has been shown. */
  readonly listed: ReadonlySet<string>;
  /** Names of the tools that searches found, in their order. */
  readonly found: readonly string[];
  /** The definitions that came with them. */
  readonly loaded: readonly FunctionTool[];
}

/** A history with items of server tools in ordinary turns; undefined when it holds none. */
export function expandedHistory(messages: readonly Message[]): ExpandedHistory | undefined {
  const items = messages.flatMap(({ parts }) => parts.map(serverItem).filter((item) => item !== undefined));
  if (items.length === 0) return undefined;
  const history = new History(messages, items);
  return {
    messages: messages.flatMap((message) => history.turns(message)),
    listed: history.listed,
    found: [...history.loaded.keys()],
    loaded: [...history.loaded.values()],
  };
}

const SERVER_ITEMS: ReadonlySet<string> = new Set([
  'mcp_list_tools',
  'mcp_call',
  'mcp_approval_request',
  'mcp_approval_response',
  'tool_search_call',
  'tool_search_output',
]);

function serverItem(part: Part): JsonObject | undefined {
  const item = part.type === 'opaque' ? ownBlock(part.origin) : undefined;
  return item && SERVER_ITEMS.has(textOf(item.type)) ? item : undefined;
}

class History {
  readonly listed = new Set<string>();
  readonly loaded = new Map<string, FunctionTool>();
  /** What the client said to each approval request. */
  readonly #verdicts = new Map<string, JsonObject>();
  /** Ids of calls, and of the approval requests before them, whose outcome stands in the history. */
  readonly #settled = new Set<string>();
  #lastSearch = '';

  constructor(messages: readonly Message[], items: readonly JsonObject[]) {
    for (const item of items) {
      if (item.type === 'mcp_approval_response') this.#verdicts.set(textOf(item.approval_request_id), item);
      if (item.type === 'mcp_call') this.#settled.add(textOf(item.approval_request_id));
      if (item.type === 'mcp_list_tools' && !item.error) this.listed.add(textOf(item.server_label));
    }
    for (const { parts } of messages) {
      for (const part of parts) if (part.type === 'tool-call') this.#settled.add(part.id);
    }
  }

  /** Items that name no role stand with the assistant; a verdict may be all that such a message holds. */
  turns(message: Message): Message[] {
    if (!message.parts.some(serverItem)) return [message];
    const parts = message.parts.flatMap((part) => {
      const item = serverItem(part);
      return item ? this.#expanded(item) : [part];
    });
    return message.role === 'assistant' ? turnsOf(parts) : [{ ...message, parts }];
  }

  #expanded(item: JsonObject): Part[] {
    switch (item.type) {
      case 'mcp_call':
        return mcpCall(item);
      case 'mcp_approval_request':
        return this.#approval(item);
      case 'tool_search_call':
        return [this.#search(item)];
      case 'tool_search_output':
        return [this.#searchResult(item)];
      default:
        return [];
    }
  }

  /** A call that waits for its run, or was refused; nothing where it stands in the history as a call already. */
  #approval(item: JsonObject): Part[] {
    const requestId = textOf(item.id);
    const id = approvalIds.parse(requestId)?.callId ?? requestId;
    if (this.#settled.has(requestId) || this.#settled.has(id)) return [];
    const verdict = this.#verdicts.get(requestId);
    const server = textOf(item.server_label);
    const call: ToolCallPart = {
      type: 'tool-call',
      id,
      name: `${server}-${textOf(item.name)}`,
      input: textOf(item.arguments),
    };
    if (verdict?.approve === true) {
      return [{ ...call, served: { type: 'mcp', server, approval: { type: 'given', requestId } } }];
    }
    const reason = textOf(verdict?.reason);
    const text = verdict
      ? `The user did not allow this call.${reason === '' ? '' : ` Reason: ${reason}`}`
      : 'The user has not allowed this call; it did not run.';
    return [call, result(id, text, true)];
  }

  #search(item: JsonObject): ToolCallPart {
    const id = textOf(item.call_id) || textOf(item.id);
    this.#lastSearch = id;
    const name = item.execution === 'client' ? CLIENT_SEARCH : 'tool_search';
    return { type: 'tool-call', id, name, input: JSON.stringify(objectOf(item.arguments)) };
  }

  /** The API gives its own searches no call id: their results stand right behind them. */
  #searchResult(item: JsonObject): ToolResultPart {
    const tools = decodeTools({ tools: item.tools }).filter((tool) => tool.type === 'function');
    for (const tool of tools) this.loaded.set(tool.name, tool);
    const text = tools.map(({ name }) => `Tool ${name} is now available.`).join('\n') || 'No tool matches.';
    return result(textOf(item.call_id) || this.#lastSearch, text, false);
  }
}

function mcpCall(item: JsonObject): Part[] {
  const id = textOf(item.id);
  const failure = typeof item.error === 'string' ? item.error : undefined;
  const name = `${textOf(item.server_label)}-${textOf(item.name)}`;
  return [
    { type: 'tool-call', id, name, input: textOf(item.arguments) },
    result(id, failure ?? textOf(item.output), failure !== undefined),
  ];
}

const result = (callId: string, text: string, isError: boolean): ToolResultPart => ({
  type: 'tool-result',
  callId,
  content: [{ type: 'text', text }],
  isError,
});
