import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { OpenApiConfig } from '../../config/openapi-section.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import type { AddressRules } from '../address-guard.ts';
import { checkSize, readDocument } from './document.ts';

const FETCH_TIMEOUT_MS = 15_000;

export interface SourceOptions {
  /** Where relative paths start: the app-dir. */
  readonly cwd: string;
  readonly fetch: FetchLike;
}

/** A document, as it was found and as OpenAPI 3. */
export interface Source {
  readonly text: string;
  readonly document: JsonObject;
}

/** Reads the document of a client anew. Throws GatewayError with what to do. */
export async function readSource(config: OpenApiConfig, options: SourceOptions): Promise<Source> {
  const text = await textOf(config, options);
  return { text, document: await readDocument(text) };
}

async function textOf({ spec, spec_file: file, spec_url: url }: OpenApiConfig, { cwd, fetch }: SourceOptions) {
  if (spec !== undefined) return typeof spec === 'string' ? spec : JSON.stringify(spec);
  if (file !== undefined) return fileText(resolve(cwd, file));
  return fetched(addressOf('openapi_config.spec_url', url), fetch);
}

async function fileText(path: string): Promise<string> {
  try {
    checkSize((await stat(path)).size);
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? cause.code : 'unreadable';
    throw new GatewayError('invalid-request', `openapi_config.spec_file ${path} cannot be read (${code})`, { cause });
  }
}

async function fetched(url: URL, fetch: FetchLike): Promise<string> {
  const response = await fetch(url, {
    headers: { accept: 'application/json, application/yaml, text/yaml, */*;q=0.5' },
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new GatewayError('network', `could not load spec_url: ${url.host} answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    checkSize(size);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function addressOf(field: string, secret: OpenApiConfig['spec_url']): URL {
  if (secret?.unset) {
    throw new GatewayError('invalid-request', `${field}: environment variable ${secret.ref?.slice(4)} is not set`);
  }
  const text = secret?.value ?? '';
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new GatewayError('invalid-request', `${field} is not an http(s) URL`);
  }
  return new URL(text);
}

/**
 * Where a call of an operation goes: `base_url`, or the first of its servers that is an address. Throws GatewayError
 * when there is none.
 */
export function baseOf({ base_url: base, spec_url: specUrl }: OpenApiConfig, servers: JsonValue | undefined): string {
  if (base && (base.value !== '' || base.unset)) return addressOf('openapi_config.base_url', base).href;
  for (const server of Array.isArray(servers) ? servers : []) {
    const url = isObject(server) ? serverUrl(server, specUrl?.value) : undefined;
    if (url) return url;
  }
  throw new GatewayError('invalid-request', 'The spec declares no absolute server URL; set openapi_config.base_url');
}

/** The variables of a server have defaults; a relative address starts where the document is. */
function serverUrl({ url, variables }: JsonObject, documentUrl: string | undefined): string | undefined {
  if (typeof url !== 'string') return undefined;
  const filled = url.replace(/\{([^{}]+)\}/g, (_, name: string) => {
    const variable = isObject(variables) ? ownValue(variables, name) : undefined;
    return isObject(variable) && variable.default !== undefined ? String(variable.default) : '';
  });
  const isAddress = documentUrl ? URL.canParse(filled, documentUrl) : URL.canParse(filled);
  if (!isAddress) return undefined;
  const found = new URL(filled, documentUrl || undefined);
  return /^https?:$/.test(found.protocol) ? found.href : undefined;
}

/**
 * Hosts inside that calls may reach. Whoever configures a client may name any host, in its addresses or in a document
 * that they hand over; a document fetched from somewhere else may not lead inside (pitfall G15).
 */
export function addressRulesOf({ spec, spec_file: file, spec_url, base_url }: OpenApiConfig): AddressRules {
  const named = [spec_url, base_url].flatMap((secret) => {
    const text = secret?.value ?? '';
    return URL.canParse(text) ? hostWithPort(new URL(text)) : [];
  });
  const isHandedOver = spec !== undefined || file !== undefined;
  return { allowPrivate: isHandedOver && base_url === undefined, allowedHosts: named, refusal };
}

const refusal = (host: string): string =>
  `${host} is on a private or local network, where a document from elsewhere may not send the gateway; ` +
  'name it in openapi_config.base_url if that is meant';

const hostWithPort = ({ hostname, port, protocol }: URL): string =>
  `${hostname.replace(/^\[|\]$/g, '')}:${port || (protocol === 'https:' ? '443' : '80')}`;
