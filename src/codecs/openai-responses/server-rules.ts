import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { RuledTool, ToolRule } from '../../model/server-tools.ts';
import { objectOf } from './wire.ts';

type Approval = ToolRule['approval'];

/** What a tool of type `mcp` says about the tools of its server; `unsaid`: where it says nothing of approval. */
export function serverRule(server: JsonObject, unsaid: Approval): (tool: RuledTool) => ToolRule {
  const { allowed_tools: allowed, require_approval: approval, defer_loading: deferred } = server;
  return (tool) => ({
    enabled: isAllowed(allowed, tool),
    deferred: deferred === true,
    approval: approvalFor(approval, tool, unsaid),
  });
}

/** A list of names, or a filter; an empty list allows nothing. */
function isAllowed(allowed: JsonValue | undefined, tool: RuledTool): boolean {
  if (Array.isArray(allowed)) return allowed.includes(tool.name);
  return !isObject(allowed) || matches(allowed, tool);
}

/** What no filter speaks of is asked for, unless `always` alone lists what is. */
function approvalFor(given: JsonValue | undefined, tool: RuledTool, unsaid: Approval): Approval {
  if (given === 'never') return 'never';
  if (given === 'always') return 'ask';
  if (!isObject(given)) return unsaid;
  const { never, always } = given;
  if (isObject(never) && matches(never, tool)) return 'never';
  if (isObject(always) && matches(always, tool)) return 'ask';
  return isObject(always) && !isObject(never) ? 'never' : 'ask';
}

/** Whether a tool is one of those that a filter speaks of: by name, by its read-only mark, or by both. */
function matches(filter: JsonObject, tool: RuledTool): boolean {
  const { tool_names: names, read_only: readOnly } = objectOf(filter);
  if (Array.isArray(names) && !names.includes(tool.name)) return false;
  return typeof readOnly !== 'boolean' || readOnly === tool.readOnly;
}
