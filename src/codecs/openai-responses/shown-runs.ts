import type { FunctionTool, ToolCallPart, ToolResultPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { parsedInput } from '../call-input.ts';
import { Ledger } from '../ledger.ts';
import { wireName } from '../openai-names.ts';
import { WireNames } from '../wire-names.ts';
import { approvalIds, gatewayIds, searchIds, searchOutputIds } from './ids.ts';
import { added, done, type Place, type ShownPart } from './shown-parts.ts';
import { encodeTools } from './tools.ts';

/** What the gateway ran stands in the words for tools that run upstream, so that no client tries to run it. */
export interface ShownRun {
  /** The item with what the tool gave; null when nothing came. */
  finish(result: ToolResultPart | undefined): string;
}

type Opened<Shown> = readonly [opening: string, shown: Shown];

/** `next`: the place of a further item, should the run need one. */
export function showRun(call: ToolCallPart, place: Place, next: () => Place): Opened<ShownRun> {
  return call.served?.type === 'tool-search' ? showSearch(call, place, next) : showMcpCall(call, place);
}

/** Label and tool: a server's name may hold hyphens, a configured client's does not. */
function splitCall({ name, served }: ToolCallPart): { server_label: string; name: string } {
  const server = served?.type === 'mcp' ? served.server : name.slice(0, Math.max(0, name.indexOf('-')));
  return { server_label: server, name: server === '' ? name : name.slice(server.length + 1) };
}

function showMcpCall(call: ToolCallPart, place: Place): Opened<ShownRun> {
  const { emitter, index } = place;
  const id = gatewayIds.of(call.id, call.turn);
  const at = { item_id: id, output_index: index };
  const args = call.input || '{}';
  const approval = call.served?.type === 'mcp' ? call.served.approval : undefined;
  const requestId = approval?.type === 'given' ? approval.requestId : null;
  const head = { id, type: 'mcp_call', ...splitCall(call), approval_request_id: requestId };
  const empty = { ...head, arguments: '', output: null, error: null, status: 'in_progress' };
  const write = emitter.deltas('response.mcp_call_arguments.delta', at);
  const opening =
    added(place, empty) +
    emitter.emit('response.mcp_call.in_progress', at) +
    write(args) +
    emitter.emit('response.mcp_call_arguments.done', { ...at, arguments: args });
  return [
    opening,
    {
      finish(result) {
        const failed = result?.isError === true;
        const text = result ? resultText(result) : null;
        const end = emitter.emit(failed ? 'response.mcp_call.failed' : 'response.mcp_call.completed', at);
        const outcome = failed ? { output: null, error: text } : { output: text, error: null };
        return end + done(place, { ...head, arguments: args, ...outcome, status: failed ? 'failed' : 'completed' });
      },
    },
  ];
}

/** An mcp_call holds text: images and documents are only named. */
const resultText = ({ content }: ToolResultPart): string =>
  content
    .map((part) => (part.type === 'text' ? part.text : part.type === 'media' ? `[${part.name ?? part.mediaType}]` : ''))
    .filter((text) => text !== '')
    .join('\n');

/** A search is two items: the call, and behind it the definitions that it loaded. */
function showSearch(call: ToolCallPart, place: Place, next: () => Place): Opened<ShownRun> {
  const head = { type: 'tool_search_call', call_id: null, execution: 'server' };
  const item = { ...head, id: searchIds.of(call.id, call.turn), arguments: parsedInput(call.input) ?? {} };
  return [
    added(place, { ...item, status: 'in_progress' }),
    {
      finish(result) {
        const ended = done(place, { ...item, status: 'completed' });
        const output = next();
        const shown = {
          type: 'tool_search_output',
          id: searchOutputIds.of(call.id, call.turn),
          call_id: null,
          execution: 'server',
          status: 'completed',
          tools: definitionsOf(result?.found ?? []),
        };
        return ended + added(output, { ...shown, status: 'in_progress', tools: [] }) + done(output, shown);
      },
    },
  ];
}

const definitionsOf = (found: readonly FunctionTool[]): JsonObject[] =>
  encodeTools(found, new WireNames(wireName), new Ledger());

/** A call that the gateway runs once the client has allowed it. */
export function showApproval(call: ToolCallPart, place: Place): Opened<ShownPart> {
  const id = approvalIds.of(call.id, call.turn);
  const item = { id, type: 'mcp_approval_request', ...splitCall(call), arguments: call.input || '{}' };
  return [added(place, item), { grow: () => '', end: () => done(place, item) }];
}

/** A search that the client runs: its arguments are an object, and come whole. */
export function showClientSearch(call: ToolCallPart, place: Place): Opened<ShownPart> {
  const id = place.mintedId('tsc');
  const head = { id, type: 'tool_search_call', call_id: call.id, execution: 'client' };
  let input = call.input;
  return [
    added(place, { ...head, arguments: {}, status: 'in_progress' }),
    {
      grow(delta) {
        input += delta;
        return '';
      },
      end: () => done(place, { ...head, arguments: parsedInput(input) ?? {}, status: 'completed' }),
    },
  ];
}

/** The list of a server's tools, with the events around it that clients wait for. */
export function showListing(item: JsonObject, place: Place): Opened<ShownPart> {
  const { emitter, index } = place;
  const at = { item_id: item.id, output_index: index };
  const outcome = item.error === undefined ? 'completed' : 'failed';
  const opening = added(place, { ...item, tools: [] }) + emitter.emit('response.mcp_list_tools.in_progress', at);
  const end = () => emitter.emit(`response.mcp_list_tools.${outcome}`, at) + done(place, item);
  return [opening, { grow: () => '', end }];
}
