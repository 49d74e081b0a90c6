import { shortHash } from '../short-hash.ts';

/** Names as the wire takes them, and the way back; the same name gives the same name in every request. */
export interface ToolNames {
  toWire(name: string): string;
  /** Wire name -> the request's own name, for the names that had to change; undefined when none had to. */
  changed(): ReadonlyMap<string, string> | undefined;
}

export function createToolNames(): ToolNames {
  const changed = new Map<string, string>();
  return {
    toWire(name) {
      const wire = wireToolName(name);
      if (wire !== name) changed.set(wire, name);
      return wire;
    },
    changed: () => (changed.size > 0 ? changed : undefined),
  };
}

/** Tool names must match ^[a-zA-Z0-9_-]{1,128}$ (Anthropic Messages API, tools.name). */
function wireToolName(name: string): string {
  if (/^[a-zA-Z0-9_-]{1,128}$/.test(name)) return name;
  return `${name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 119)}_${shortHash(name, 8)}`;
}
