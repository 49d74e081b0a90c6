import type { CatalogTool } from '../contract.ts';
import { declarationLines, documentationOf } from './declarations.ts';
import { type BoundServer, type BoundTool, boundServers } from './names.ts';

/** Whether a virtual file holds a whole server, or one tool of it. */
export type BindingLevel = 'server' | 'tool';

export const bindingLevelOf = (configured: string): BindingLevel => (configured === 'tool' ? 'tool' : 'server');

interface LineRange {
  /** From 1; what lies outside of the file is clamped. */
  readonly startLine?: number | undefined;
  readonly endLine?: number | undefined;
}

/** The virtual files, one path on each line. */
export function fileListing(tools: readonly CatalogTool[], level: BindingLevel): string {
  const servers = boundServers(tools);
  if (servers.length === 0) return 'No servers are connected whose tools could be used by code.';
  return servers.flatMap((server) => pathsOf(server, level)).join('\n');
}

const pathsOf = ({ client, tools }: BoundServer, level: BindingLevel): string[] =>
  level === 'server'
    ? [`servers/${client}.d.ts`]
    : tools.map(({ tool }) => `servers/${client}/${tool.upstreamName}.d.ts`);

const texts = new WeakMap<BoundServer, Map<string, readonly string[]>>();

/** A virtual file, or what there is instead when its name leads nowhere. */
export function fileText(
  fileName: string,
  range: LineRange,
  tools: readonly CatalogTool[],
  level: BindingLevel,
): string {
  if (fileName.includes('..')) return `The file name "${fileName}" must not contain "..".`;
  const [serverName = '', toolName, ...more] = withoutEnds(fileName).split('/');
  const server = serverNamed(serverName, tools);
  const chosen = server && toolName !== undefined ? toolNamed(toolName, server) : undefined;
  if (!server || more.length > 0 || (toolName !== undefined && !chosen)) {
    return `There is no file "${fileName}". These are the files:\n${fileListing(tools, level)}`;
  }
  return withinRange(linesOf(server, chosen), range);
}

/** All about one tool, or what there is instead when the names lead nowhere. */
export function toolDocumentation(serverName: string, toolName: string, tools: readonly CatalogTool[]): string {
  const server = serverNamed(withoutEnds(serverName), tools);
  if (!server) {
    const names = boundServers(tools).map(({ client }) => client);
    return `There is no server "${serverName}". These are the servers: ${names.join(', ') || '(none)'}`;
  }
  const bound = toolNamed(withoutEnds(toolName), server);
  if (bound) return documentationOf(server, bound);
  const names = server.tools.map(({ tool }) => tool.upstreamName);
  return `Server "${server.client}" has no tool "${toolName}". These are its tools: ${names.join(', ')}`;
}

/** `.pyi` is what the files are called where code is Python. */
const withoutEnds = (name: string): string =>
  name
    .trim()
    .replace(/^\.?\/+/, '')
    .replace(/^servers\//i, '')
    .replace(/\.(d\.ts|ts|pyi)$/i, '');

/** Compared without case, and `-` like `_`, since names are written both ways. */
const alike = (name: string): string => name.toLowerCase().replaceAll('-', '_').replaceAll(' ', '_');

const serverNamed = (name: string, tools: readonly CatalogTool[]): BoundServer | undefined =>
  boundServers(tools).find((server) => alike(server.client) === alike(name) || alike(server.name) === alike(name));

/** The exact name goes above one that only looks like it; a client's prefix may stand before it. */
function toolNamed(name: string, { tools, client }: BoundServer): BoundTool | undefined {
  const plain = name.startsWith(`${client}-`) ? name.slice(client.length + 1) : name;
  const exact = tools.find(({ tool }) => tool.upstreamName === name || tool.upstreamName === plain);
  return (
    exact ?? tools.find((bound) => [bound.tool.upstreamName, bound.name].some((each) => alike(each) === alike(plain)))
  );
}

function linesOf(server: BoundServer, chosen: BoundTool | undefined): readonly string[] {
  const known = texts.get(server) ?? new Map<string, readonly string[]>();
  texts.set(server, known);
  const key = chosen?.tool.upstreamName ?? '';
  const lines = known.get(key) ?? declarationLines(server, chosen ? [chosen] : server.tools);
  known.set(key, lines);
  return lines;
}

function withinRange(lines: readonly string[], { startLine, endLine }: LineRange): string {
  const total = lines.length;
  const start = clamped(startLine ?? 1, 1, total);
  const end = clamped(endLine ?? total, start, total);
  const isWhole = start === 1 && end === total;
  const note = isWhole ? 'this is the complete file, no need to paginate' : `lines ${start} to ${end} are shown`;
  return [`// Total lines: ${total} (${note})`, ...lines.slice(start - 1, end)].join('\n');
}

const clamped = (value: number, low: number, high: number): number => Math.min(Math.max(Math.floor(value), low), high);
