import { createHash } from 'node:crypto';

/** The id of a client that the file gives none: the same at every start, so that rules can name the client by it. */
export function clientIdOf(name: string): string {
  const hash = createHash('sha256').update(`mcp-client ${name}`).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
