import type { CatalogTool } from '../contract.ts';

/** One function of a server's object in a script. */
export interface BoundTool {
  readonly tool: CatalogTool;
  /** What the declarations call it. */
  readonly name: string;
  /** Other names that lead to it: the tool's own, and all in small letters. */
  readonly aliases: readonly string[];
}

/** One MCP client as a script sees it: a global object. */
export interface BoundServer {
  readonly client: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly tools: readonly BoundTool[];
}

const bound = new WeakMap<readonly CatalogTool[], readonly BoundServer[]>();

/** The servers of these tools, in their order. The same array for the same tools. */
export function boundServers(tools: readonly CatalogTool[]): readonly BoundServer[] {
  let servers = bound.get(tools);
  if (!servers) {
    servers = serversOf(tools);
    bound.set(tools, servers);
  }
  return servers;
}

function serversOf(tools: readonly CatalogTool[]): BoundServer[] {
  const byClient = new Map<string, CatalogTool[]>();
  for (const tool of tools) byClient.set(tool.clientName, [...(byClient.get(tool.clientName) ?? []), tool]);
  const names = named([...byClient.keys()], globalName);
  return [...byClient].map(([client, own], index) => {
    const given = names[index] ?? { name: globalName(client), aliases: [] };
    const functions = named(
      own.map(({ upstreamName }) => upstreamName),
      identifier,
    );
    return {
      client,
      name: given.name,
      aliases: given.aliases.filter((alias) => alias === globalName(alias)),
      tools: own.map((tool, at) => ({ tool, ...(functions[at] ?? { name: tool.upstreamName, aliases: [] }) })),
    };
  });
}

interface Named {
  readonly name: string;
  readonly aliases: readonly string[];
}

/** A name for each, no two the same; then as many other spellings as are still free. */
function named(originals: readonly string[], nameOf: (original: string) => string): Named[] {
  const taken = new Set<string>();
  const free = (name: string): boolean => !taken.has(name) && Boolean(taken.add(name));
  const names = originals.map((original) => {
    const wanted = nameOf(original);
    let name = wanted;
    for (let copy = 2; !free(name); copy++) name = `${wanted}_${copy}`;
    return name;
  });
  return originals.map((original, index) => {
    const name = names[index] ?? original;
    return { name, aliases: [original, name.toLowerCase()].filter(free) };
  });
}

/** Letters, digits, `_` and `$`; what else a name holds becomes `_`. */
function identifier(name: string): string {
  const cleaned = name.replace(/[^\p{L}\p{N}_$]/gu, '_');
  return /^\p{N}/u.test(cleaned) ? `_${cleaned}` : cleaned;
}

/** A server must hide no word of the language, and nothing that every script counts on. */
const globalName = (name: string): string =>
  RESERVED.has(identifier(name)) ? `${identifier(name)}_` : identifier(name);

const RESERVED: ReadonlySet<string> = new Set(
  (
    'abstract arguments async await boolean break byte case catch char class const continue debugger default delete do ' +
    'double else enum eval export extends false final finally float for from function get goto if implements import in ' +
    'instanceof int interface let long native new null of package private protected public return set short static ' +
    'super switch synchronized this throw throws transient true try typeof undefined var void volatile while with yield ' +
    'Infinity NaN Object Function Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError ' +
    'URIError Boolean Symbol Number BigInt Math Date String RegExp Array ArrayBuffer SharedArrayBuffer DataView Map Set ' +
    'WeakMap WeakSet WeakRef FinalizationRegistry JSON Promise Proxy Reflect Iterator Atomics globalThis console print ' +
    'result parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape ' +
    'Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float16Array Float32Array ' +
    'Float64Array BigInt64Array BigUint64Array InternalError performance queueMicrotask constructor toString valueOf ' +
    'hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString __proto__'
  ).split(' '),
);
