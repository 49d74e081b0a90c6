import type { JsonObject } from '../../model/json.ts';
import { customName, customNameIn, SEPARATOR } from '../custom-tools.ts';
import { textOf } from './wire.ts';

/**
 * A tool of this format is found again by two fields: namespace and name (Codex answers "unsupported call" to a joined
 * name), or by its kind, since a custom tool takes free text where a function takes JSON. Inside the gateway one name
 * says both: `name`, `namespace::name`, and `::name` for a custom tool. Other formats write it in their own alphabet
 * and give it back as it was, so an answer needs no other memory of what the client offered.
 */
export type ToolName =
  | { readonly kind: 'function'; readonly name: string; readonly namespace?: string }
  | { readonly kind: 'custom'; readonly name: string }
  /** The search over deferred tools that the client itself runs. */
  | { readonly kind: 'search'; readonly name: string };

/** A namespace without a name inside: no tool of a client is called so. */
export const CLIENT_SEARCH = `tool_search${SEPARATOR}`;

export const joinedName = (name: string, namespace: string): string =>
  namespace === '' ? name : `${namespace}${SEPARATOR}${name}`;

export function splitName(joined: string): ToolName {
  if (joined === CLIENT_SEARCH) return { kind: 'search', name: joined };
  const custom = customNameIn(joined);
  if (custom !== undefined) return { kind: 'custom', name: custom };
  const at = joined.indexOf(SEPARATOR);
  if (at < 0) return { kind: 'function', name: joined };
  return { kind: 'function', name: joined.slice(at + SEPARATOR.length), namespace: joined.slice(0, at) };
}

/** The name of the tool that a call item calls. */
export const calledName = (item: JsonObject): string =>
  item.type === 'custom_tool_call'
    ? customName(textOf(item.name))
    : joinedName(textOf(item.name), textOf(item.namespace));
