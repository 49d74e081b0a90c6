import type { JsonObject } from '../../model/json.ts';
import { textOf } from './wire.ts';

/** No function name on any wire holds it, so a name tells by itself what kind of tool it names. */
const SEPARATOR = '::';

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

export const customName = (name: string): string => `${SEPARATOR}${name}`;

export function splitName(joined: string): ToolName {
  if (joined === CLIENT_SEARCH) return { kind: 'search', name: joined };
  const at = joined.indexOf(SEPARATOR);
  if (at < 0) return { kind: 'function', name: joined };
  const name = joined.slice(at + SEPARATOR.length);
  return at === 0 ? { kind: 'custom', name } : { kind: 'function', name, namespace: joined.slice(0, at) };
}

/** The name of the tool that a call item calls. */
export const calledName = (item: JsonObject): string =>
  item.type === 'custom_tool_call'
    ? customName(textOf(item.name))
    : joinedName(textOf(item.name), textOf(item.namespace));
