import type { McpClientConfig } from '../../config/schema.ts';
import type { ResultLimitsConfig } from '../../config/tool-safety-section.ts';
import type { Caller } from '../../model/call.ts';
import { GatewayError } from '../../model/errors.ts';
import { type JsonObject, ownValue } from '../../model/json.ts';
import type { Catalog, CatalogTool, ToolCallRequest, ToolResult } from '../contract.ts';
import { sessionOwner } from '../server/sessions.ts';
import { KeptResults } from './kept-results.ts';
import { preview } from './preview.ts';
import { READER_TOOLS, type ReaderToolName } from './reader-tools.ts';
import { readingOf } from './reading.ts';
import { isResultUri, RESULT_META, RESULT_URI } from './result-link.ts';
import {
  estimatedTokens,
  isOversized,
  lengthWithin,
  maxTextBytes,
  mediaOf,
  type ResultLimits,
  textBytes,
  textOf,
} from './result-size.ts';
import { meets, shortened } from './shortened.ts';

export interface LargeResultsOptions {
  readonly rules: ResultLimitsConfig;
  /** What a client's own config says. */
  readonly limitsOf: (clientId: string) => McpClientConfig['result_limits'];
  readonly catalog: () => Catalog;
  readonly now?: () => number;
}

type Call = Pick<ToolCallRequest, 'name' | 'caller' | 'peer'>;

const NO_OWNER = '';
const MAX_LINES_BYTES = 60_000;
const MINUTE_MS = 60_000;

/**
 * Results that would end a conversation (H8): the caller gets the beginning and a handle, and tools that read and search
 * the rest. What fits passes as it is, for the price of adding up lengths.
 */
export class LargeResults {
  readonly #options: LargeResultsOptions;
  readonly #kept: KeptResults;
  readonly #withReaders = new WeakMap<readonly CatalogTool[], readonly CatalogTool[]>();
  readonly #listeners = new Set<() => void>();

  constructor(options: LargeResultsOptions) {
    this.#options = options;
    const { keep_for: keptForMs, max_kept_bytes, max_kept_bytes_per_caller } = options.rules;
    const limits = { keptForMs, maxBytes: max_kept_bytes, maxBytesPerOwner: max_kept_bytes_per_caller };
    this.#kept = new KeptResults(limits, options.now);
  }

  /** The result as this caller gets it: the same one unless it is too large. */
  shown(call: Call, result: ToolResult): ToolResult | Promise<ToolResult> {
    // at the address of one server nothing of it is changed
    if (call.peer?.scope !== undefined) return result;
    const limits = this.#limitsFor(call.name);
    return limits.enabled && isOversized(result, limits) ? this.#shortened(call, result, limits) : result;
  }

  /** The tools with those that read results, where this caller is to have them. The same array for the same one. */
  offered(tools: readonly CatalogTool[], caller: Caller): readonly CatalogTool[] {
    if (!this.offersReaders(caller)) return tools;
    let offered = this.#withReaders.get(tools);
    if (!offered) {
      offered = [...tools, ...READER_TOOLS];
      this.#withReaders.set(tools, offered);
    }
    return offered;
  }

  /**
   * Tools stand at the beginning of every prompt, so a tool that comes and goes costs a prompt cache. By default the
   * readers come with the first large result of a caller and go with the last.
   */
  offersReaders(caller: Caller): boolean {
    const { enabled, reader_tools: when } = this.#options.rules;
    if (when === 'always') return enabled;
    return when === 'on_demand' && this.#kept.has(ownerOf(caller));
  }

  /** Runs readResult or grepResult. Throws GatewayError when there is nothing of this handle for this caller. */
  async read(tool: ReaderToolName, input: JsonObject, caller: Caller): Promise<ToolResult> {
    const { handle } = input;
    if (typeof handle !== 'string') throw new GatewayError('invalid-request', 'handle must be a text');
    const lines = await this.#kept.lines(ownerOf(caller), nameOf(handle));
    if (!lines) throw notKept(handle);
    const maxLength = Math.min(MAX_LINES_BYTES, maxTextBytes(this.#options.rules) / 2);
    return { content: [{ type: 'text', text: await readingOf(tool, lines, input, maxLength) }] };
  }

  /** A kept result as `resources/read` gives it; undefined when the URI is none of ours. */
  async resource(uri: string, caller: Caller): Promise<JsonObject | undefined> {
    if (!isResultUri(uri)) return undefined;
    const lines = await this.#kept.lines(ownerOf(caller), nameOf(uri));
    if (!lines) throw notKept(uri);
    return { contents: [{ uri, mimeType: 'text/plain', text: lines.join('\n') }] };
  }

  /** Calls `listener` when a caller got something to read, and with it other tools. */
  onOffer(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #limitsFor(name: string): ResultLimits {
    const { rules, limitsOf, catalog } = this.#options;
    const tool = catalog().byName.get(name);
    const own = tool && limitsOf(tool.clientId);
    if (!own) return rules;
    const { tools, ...client } = own;
    return { ...rules, ...given(client), ...given(ownValue(tools, tool.upstreamName) ?? {}) };
  }

  async #shortened(call: Call, result: ToolResult, limits: ResultLimits): Promise<ToolResult> {
    const maxBytes = maxTextBytes(limits);
    const isTextLarge = textBytes(result.content) > maxBytes;
    const { structuredContent, ...rest } = result;
    const isStructureLarge = structuredContent !== undefined && lengthWithin(structuredContent, maxBytes) > maxBytes;
    const note =
      isTextLarge || isStructureLarge ? this.#spill(call.caller, spilledText(result, isTextLarge)) : undefined;
    const content = remaining(result.content, !isTextLarge, limits.max_media_bytes);
    const told: ToolResult = {
      ...rest,
      content: note ? [{ type: 'text', text: note.text }, ...content] : content,
      ...(note?.handle && { _meta: { ...metaOf(result), [RESULT_META]: note.facts } }),
      ...(structuredContent !== undefined && !isStructureLarge && { structuredContent }),
    };
    return isStructureLarge ? this.#withStructure(call, result, told, note?.handle, maxBytes) : told;
  }

  /**
   * A client holds a result against the output schema it was listed (SDKs refuse one without structured content), but
   * never an error (G19). So the structure is cut to less of the same shape; where that is not possible, it is an error.
   */
  async #withStructure(
    { name, peer }: Call,
    result: ToolResult,
    told: ToolResult,
    handle: string | undefined,
    maxBytes: number,
  ): Promise<ToolResult> {
    const schema = this.#options.catalog().byName.get(name)?.definition.outputSchema;
    // models get text, and only MCP clients know the schema
    if (!peer || typeof schema !== 'object' || schema === null || Array.isArray(schema) || result.isError) return told;
    const mark = handle ? `… [cut by the gateway; the whole is ${handle}]` : '… [cut by the gateway]';
    const structure = result.structuredContent;
    const cut =
      typeof structure === 'object' && structure !== null && !Array.isArray(structure)
        ? shortened(structure, mark, maxBytes / 2)
        : undefined;
    if (cut && (await meets(schema, cut))) return { ...told, structuredContent: cut };
    return { ...told, isError: true };
  }

  #spill(caller: Caller, text: string) {
    const { rules } = this.#options;
    const bytes = Buffer.byteLength(text);
    const size = { characters: text.length, tokens: estimatedTokens(bytes) };
    if (rules.reader_tools === 'never')
      return { text: preview(text, size, rules.preview_bytes, undefined), handle: undefined };
    const isFirst = !this.offersReaders(caller);
    const { handle, lineCount } = this.#kept.keep(ownerOf(caller), text);
    if (isFirst) for (const listener of this.#listeners) listener();
    const minutes = Math.max(1, Math.round(rules.keep_for / MINUTE_MS));
    return {
      text: preview(text, size, rules.preview_bytes, { handle, lineCount, minutes }),
      handle,
      facts: { handle, uri: `${RESULT_URI}${handle}`, characters: size.characters, lines: lineCount },
    };
  }
}

const nameOf = (handle: string): string => (isResultUri(handle) ? handle.slice(RESULT_URI.length) : handle);

const ownerOf = (caller: Caller): string => sessionOwner(caller) ?? NO_OWNER;

const notKept = (handle: string): GatewayError =>
  new GatewayError(
    'not-found',
    `there is no result '${handle}' to read (any more): results are kept for a while and for their own caller; call the tool again`,
  );

const metaOf = ({ _meta: meta }: ToolResult): JsonObject =>
  typeof meta === 'object' && meta !== null && !Array.isArray(meta) ? meta : {};

function spilledText(result: ToolResult, isTextLarge: boolean): string {
  if (!isTextLarge) return JSON.stringify(result.structuredContent);
  return result.content.flatMap((block) => textOf(block) ?? []).join('\n');
}

/** Media up to the limit, in place of each of the others a line that says so; and the words, unless they are kept. */
function remaining(content: readonly JsonObject[], hasText: boolean, max: number): JsonObject[] {
  let used = 0;
  return content.flatMap((block): JsonObject[] => {
    const media = mediaOf(block);
    if (media === undefined) return hasText || textOf(block) === undefined ? [block] : [];
    if (max === 0 || used + media.length <= max) {
      used += media.length;
      return [block];
    }
    const type = typeof block.mimeType === 'string' ? block.mimeType : String(block.type);
    const text = `[${type} left out by the gateway: ${media.length} bytes of base64, and one result may hold ${max}. Ask for a smaller one.]`;
    return [{ type: 'text', text }];
  });
}

/** What is absent is as one level above. */
const given = <Section extends object>(section: Section) =>
  Object.fromEntries(Object.entries(section).filter(([, value]) => value !== undefined)) as {
    [Member in keyof Section]?: Exclude<Section[Member], undefined>;
  };
