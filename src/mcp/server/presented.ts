import { isObject, type JsonObject } from '../../model/json.ts';
import type { UpstreamServer } from './source.ts';

/** Their tasks live in a session that others share. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set(['tasks']);

/** What one server can do, at its own address: what it says itself; tools are listed by the gateway, which tells of changes. */
export function ownCapabilities({ capabilities }: UpstreamServer): JsonObject {
  const passed = Object.entries(capabilities).filter(([name]) => !NOT_PASSED_ON.has(name));
  const own = Object.fromEntries(passed);
  return isObject(own.tools) ? { ...own, tools: { ...own.tools, listChanged: true } } : own;
}

/** What the servers can do together. Tools are there even if no server is yet. */
export function jointCapabilities(servers: readonly UpstreamServer[]): JsonObject {
  const having = (name: string) => servers.filter(({ capabilities }) => isObject(capabilities[name]));
  const subscribable = having('resources').some(({ capabilities }) => {
    const { resources } = capabilities;
    return isObject(resources) && resources.subscribe === true;
  });
  return {
    tools: { listChanged: true },
    ...(having('resources').length > 0 && {
      resources: { ...(subscribable && { subscribe: true }), listChanged: true },
    }),
    ...(having('prompts').length > 0 && { prompts: { listChanged: true } }),
    ...(having('completions').length > 0 && { completions: {} }),
    ...(having('logging').length > 0 && { logging: {} }),
  };
}
