import type { McpClientConfig } from '../../config/schema.ts';
import type { ToolSafetyConfig } from '../../config/tool-safety-section.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { ListedTool } from '../listed-tools.ts';
import { ToldOnce } from '../told-once.ts';
import { definitionHash, hashOf, namelessHash, pinnedPart } from './definition.ts';
import { changesOf } from './diff.ts';
import type { Finding } from './finding.ts';
import { type Judgement, judged } from './judgement.ts';
import { definitionFindings, lookAhead } from './looks.ts';
import type { ClientPins, Pin, PinStore } from './pins.ts';
import { cleaned } from './scan.ts';
import { goneNews, type News, newsOf, type ToolNote } from './tool-note.ts';

type Log = (level: 'info' | 'warn' | 'error', message: string, fields: JsonObject) => void;

export interface ToolSafetyOptions {
  readonly rules: ToolSafetyConfig;
  readonly store: PinStore;
  readonly log: Log;
  readonly now?: () => Date;
}

interface Review {
  readonly notes: readonly ToolNote[];
  readonly findings: ReadonlyMap<string, readonly Finding[]>;
  readonly names: readonly string[];
}

const MOST_PINS = 5_000;
/** Begins the id of a server that requests name: whoever may send a request can name as many as there are. */
export const REQUEST_SERVER = 'request:';
const MOST_REQUEST_SERVERS = 500;

/**
 * Watches over what servers say of their tools: each definition is pinned when it is first seen, a changed one is held
 * back until an admin releases it (J17), and what hides in the words of one is found.
 */
export class ToolSafety {
  readonly #options: ToolSafetyOptions;
  readonly #pins: Map<string, ClientPins>;
  readonly #reviews = new Map<string, Review>();
  readonly #listeners = new Set<(clientId: string) => void>();
  readonly #notKept = new ToldOnce();

  constructor(options: ToolSafetyOptions) {
    this.#options = options;
    this.#pins = new Map(options.store.pins);
  }

  /** What a review of this list would look at, looked at bit by bit. */
  lookAhead({ client_id, name }: McpClientConfig, listed: readonly unknown[]): Promise<void> {
    const last = this.#reviews.get(client_id ?? name);
    return lookAhead(listed, (hash) => last?.findings.has(hash) === true);
  }

  /** The same list with what is held back marked, and the words of the others made visible. Pins what is seen first. */
  review(config: McpClientConfig, listed: readonly ListedTool[]): readonly ListedTool[] {
    const clientId = config.client_id ?? config.name;
    const rules = this.#rulesOf(config);
    const known = this.#known(clientId, config);
    const tools = new Map(known?.tools);
    const last = this.#reviews.get(clientId);
    const findings = new Map<string, readonly Finding[]>();
    const judgements = listed.map((tool) => {
      const hash = definitionHash(tool.definition);
      const found = last?.findings.get(hash) ?? definitionFindings(tool.definition);
      findings.set(hash, found);
      const pin = known?.tools.get(tool.upstreamName);
      const seen = { hash, pin, findings: found, isKnownClient: known !== undefined, isFull: tools.size >= MOST_PINS };
      const judgement = judged(seen, rules);
      if (judgement.pins) tools.set(tool.upstreamName, this.#pinOf(tool));
      return { tool, judgement, findings: found, pin };
    });
    const notes = judgements.flatMap((each) => this.#noteOf(config, clientId, listed, known, each) ?? []);
    const names = listed.map(({ upstreamName }) => upstreamName);
    const before = last?.names ?? [...(known?.tools.keys() ?? [])];
    this.#tell(config, [...newsOf(notes, last?.notes ?? []), ...goneNews(before, names)]);
    this.#reviews.set(clientId, { notes, findings, names });
    if (!known || judgements.some(({ judgement }) => judgement.pins)) this.#pin(clientId, config, tools);
    return judgements.map(({ tool, judgement, findings: found }) => reviewed(tool, judgement, found, rules));
  }

  /** What becomes of invisible characters in this client's results; undefined when nobody looks for them. */
  resultTreatment(config: McpClientConfig): 'strip' | 'escape' | undefined {
    const { scan_results, invisible_characters } = this.#rulesOf(config);
    return scan_results && invisible_characters !== 'keep' ? invisible_characters : undefined;
  }

  /** Everything to be known of the tools of the present clients. */
  get notes(): readonly ToolNote[] {
    return [...this.#reviews.values()].flatMap(({ notes }) => notes);
  }

  /**
   * Pins what is held back or was changed as it is now: one tool, or all of a client. `hash` is of the definition that
   * was looked at. Gives the names; throws GatewayError when there is nothing to release, or another definition by now.
   */
  async release(clientId: string, tool?: string, hash?: string): Promise<readonly string[]> {
    const open = (this.#reviews.get(clientId)?.notes ?? []).filter(
      (note) => (note.held || note.difference === 'changed') && (tool === undefined || note.tool === tool),
    );
    if (tool !== undefined && open.length === 0) {
      throw new GatewayError('not-found', `tool '${tool}' of this MCP client is not held back`);
    }
    if (hash !== undefined && open.some((note) => note.hash !== hash)) {
      const message = `the definition of tool '${tool}' has changed again: look at the new difference before you release it`;
      throw new GatewayError('invalid-request', message, { status: 409 });
    }
    const pins = this.#pins.get(clientId);
    if (!pins || open.length === 0) return [];
    const pinnedAt = this.#now();
    const released = open.map((note): [string, Pin] => [
      note.tool,
      { hash: note.hash, definition: note.definition, pinnedAt, released: true },
    ]);
    this.#pins.set(clientId, { ...pins, tools: new Map([...pins.tools, ...released]) });
    const kept = this.#options.store.keep(this.#pins);
    for (const listener of this.#listeners) listener(clientId);
    await kept;
    return open.map((note) => note.tool);
  }

  /** Calls `listener` when a client's list is to be reviewed again; gives the function that ends it. */
  onRelease(listener: (clientId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A client that was removed: one of the same name is a new one. */
  forget(clientId: string): void {
    this.#reviews.delete(clientId);
    if (this.#pins.delete(clientId)) this.#keep();
  }

  /** Resolves when what was pinned so far is kept. */
  settled(): Promise<void> {
    return this.#options.store.settled();
  }

  #rulesOf({ tool_safety: own }: McpClientConfig): ToolSafetyConfig {
    return own ? { ...this.#options.rules, ...given(own) } : this.#options.rules;
  }

  #known(clientId: string, config: McpClientConfig): ClientPins | undefined {
    const known = this.#pins.get(clientId);
    if (!known || known.source === sourceOf(config)) return known;
    const message = `MCP client ${config.name}: its config leads elsewhere than before, so its tools are pinned anew`;
    this.#options.log('info', message, { mcpClient: config.name });
    return undefined;
  }

  #pin(clientId: string, config: McpClientConfig, tools: ReadonlyMap<string, Pin>): void {
    this.#pins.set(clientId, { source: sourceOf(config), tools });
    if (clientId.startsWith(REQUEST_SERVER)) this.#dropOldest();
    this.#keep();
  }

  #dropOldest(): void {
    const named = [...this.#pins.keys()].filter((id) => id.startsWith(REQUEST_SERVER));
    for (const id of named.slice(0, -MOST_REQUEST_SERVERS)) {
      this.#pins.delete(id);
      this.#reviews.delete(id);
    }
  }

  #keep(): void {
    const kept = () => this.#notKept.wentWell();
    this.#options.store.keep(this.#pins).then(kept, (thrown: unknown) => {
      const message = `the pinned tool definitions were not kept: ${thrown instanceof Error ? thrown.message : thrown}`;
      if (this.#notKept.isNew(message)) this.#options.log('error', message, {});
    });
  }

  #pinOf({ definition }: ListedTool): Pin {
    return { hash: definitionHash(definition), definition: pinnedPart(definition), pinnedAt: this.#now() };
  }

  #noteOf(
    { name: clientName }: McpClientConfig,
    clientId: string,
    listed: readonly ListedTool[],
    known: ClientPins | undefined,
    {
      tool,
      judgement,
      findings,
      pin,
    }: { tool: ListedTool; judgement: Judgement; findings: readonly Finding[]; pin: Pin | undefined },
  ): ToolNote | undefined {
    const { held, difference } = judgement;
    if (!held && !difference && findings.length === 0) return undefined;
    const hash = definitionHash(tool.definition);
    const definition = pinnedPart(tool.definition);
    const before = this.#reviews.get(clientId)?.notes.find((note) => note.tool === tool.upstreamName);
    const renamedFrom = difference === 'new' && known ? formerName(tool, listed, known) : undefined;
    return {
      clientId,
      clientName,
      tool: tool.upstreamName,
      since: before?.hash === hash ? before.since : this.#now(),
      hash,
      definition,
      changes: pin && pin.hash !== hash ? changesOf(pin.definition, definition) : [],
      findings,
      ...(held && { held }),
      ...(difference && { difference }),
      ...(pin && { pinned: pin }),
      ...(renamedFrom !== undefined && { renamedFrom }),
    };
  }

  #tell({ name }: McpClientConfig, news: readonly News[]): void {
    for (const { level, text, tool } of news) {
      this.#options.log(level, `MCP client ${name}: ${text}`, { mcpClient: name, ...(tool !== undefined && { tool }) });
    }
  }

  #now(): string {
    return (this.#options.now?.() ?? new Date()).toISOString();
  }
}

function reviewed(
  tool: ListedTool,
  { held }: Judgement,
  findings: readonly Finding[],
  { invisible_characters: treatment }: ToolSafetyConfig,
): ListedTool {
  const seen = findings.length > 0 ? { ...tool, findings } : tool;
  if (held) return { ...seen, heldBack: held };
  if (findings.length === 0 || treatment === 'keep') return seen;
  const { description, ...words } = seen;
  return {
    ...words,
    ...(description !== undefined && { description: String(cleaned({ description }, treatment).description) }),
    inputSchema: cleaned(seen.inputSchema, treatment),
    definition: cleaned(seen.definition, treatment),
    annotations: cleaned({ ...seen.annotations }, treatment),
  };
}

function formerName(tool: ListedTool, listed: readonly ListedTool[], { tools }: ClientPins): string | undefined {
  const present = new Set(listed.map(({ upstreamName }) => upstreamName));
  const nameless = namelessHash(tool.definition);
  const gone = [...tools].filter(([name]) => !present.has(name));
  return gone.find(([, pin]) => namelessHash(pin.definition) === nameless)?.[0];
}

/** Where a client leads. References stay references: a new value of a variable is the same place by this config. */
function sourceOf({ connection_type, connection_string, stdio_config, openapi_config }: McpClientConfig): string {
  const place: JsonObject = {
    connection_type,
    url: connection_string?.ref ?? connection_string?.value,
    command: stdio_config && [stdio_config.command, ...stdio_config.args],
    // compared, never read: the words of the config as they are
    document: openapi_config && JSON.stringify(openapi_config),
  };
  return hashOf(place);
}

/** What a client's own section says; absent members leave the global ones. */
const given = (section: McpClientConfig['tool_safety']): Partial<ToolSafetyConfig> =>
  isObject(section) ? Object.fromEntries(Object.entries(section).filter(([, value]) => value !== undefined)) : {};
