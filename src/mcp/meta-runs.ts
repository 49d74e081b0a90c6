import PQueue from 'p-queue';
import type { ToolManagerConfig } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import { isObject, type JsonObject, parsedJson } from '../model/json.ts';
import { bindingLevelOf, fileListing, fileText, toolDocumentation } from './code-mode/files.ts';
import { boundServers } from './code-mode/names.ts';
import type { ScriptLimits } from './code-mode/protocol.ts';
import { type Answer, type NestedCall, Script, type ScriptHost, type ScriptState } from './code-mode/script.ts';
import { SandboxThreads } from './code-mode/threads.ts';
import type { CatalogTool, ToolResult } from './contract.ts';
import { unknownTool } from './filters.ts';
import { CODE_TOOLS, type MetaToolName } from './meta-tools.ts';
import { resultText } from './result-text.ts';
import { type GivenTools, givenTools } from './tool-modes.ts';
import { detailsText, searchText } from './tool-search/search.ts';

/** For whom a meta tool runs, and what may happen on the way. */
export interface MetaHost {
  /** What they may see. */
  readonly visible: readonly CatalogTool[];
  /** The one function through which every tool is called: filters, limits and logs are its own. */
  call(tool: string, input: JsonObject, signal: AbortSignal): Promise<ToolResult>;
  /** Whether a call must be allowed by somebody who is not there now, so that the run pauses. Asked for each call. */
  needsLeave(tool: string): boolean;
  /** Asks somebody who is there. Throws when the answer is no. */
  allow(tool: string, input: JsonObject, signal: AbortSignal): Promise<void>;
  readonly signal: AbortSignal;
}

export type MetaRun =
  | { readonly type: 'ended'; readonly result: ToolResult }
  | {
      readonly type: 'paused';
      readonly calls: readonly NestedCall[];
      /** Goes on with what somebody else found out for the calls, by their numbers. */
      resume(results: ReadonlyMap<number, ToolResult>, host: MetaHost): Promise<MetaRun>;
      abandon(): void;
    };

/** Text of one tool's result, for code to look through. */
const RESULT_LIMITS = { maxTextLength: 4_000_000, maxMediaLength: 0 };

/** More would be met by the host's own stack first. */
const STACK_BYTES = 256 * 1024;

const limitsOf = (manager: ToolManagerConfig): ScriptLimits => {
  const limits = manager.code_mode_limits;
  return {
    wallMs: limits.time_limit || manager.tool_execution_timeout,
    cpuMs: limits.cpu_time_limit,
    memoryBytes: limits.memory_limit_mb * 1024 * 1024,
    stackBytes: STACK_BYTES,
    outputLength: limits.max_output_chars,
    codeLength: limits.max_code_chars,
    inputLength: limits.max_argument_chars,
    resultLength: limits.max_result_chars,
    maxCalls: limits.max_calls,
    maxParallelCalls: manager.max_parallel_tools,
  };
};

/** Runs the tools that stand for others. */
export class MetaRuns {
  readonly #manager: () => ToolManagerConfig;
  readonly #threads = new SandboxThreads();
  /** Scripts wait for each other, so that they cannot take the whole machine. */
  readonly #turns = new PQueue();

  constructor(manager: () => ToolManagerConfig) {
    this.#manager = manager;
  }

  given(visible: readonly CatalogTool[]): GivenTools {
    return givenTools(visible, bindingLevelOf(this.#manager().code_mode_binding_level));
  }

  /** Throws GatewayError for arguments that make no sense, and for a tool that nothing stands behind for this caller. */
  async run(name: MetaToolName, input: JsonObject, host: MetaHost): Promise<MetaRun> {
    const given = this.given(host.visible);
    if (!given.offered.some((tool) => tool.name === name)) {
      // its files are listed to everybody, also as none
      if (!CODE_TOOLS.includes(name) || name === 'executeToolCode')
        throw new GatewayError('not-found', unknownTool(name));
    }
    const text = (member: string): string => requiredText(name, input, member);
    switch (name) {
      case 'listToolFiles':
        return ended(fileListing(given.byCode, this.#level));
      case 'readToolFile': {
        const range = { startLine: lineNumber(input.startLine), endLine: lineNumber(input.endLine) };
        return ended(fileText(text('fileName'), range, given.byCode, this.#level));
      }
      case 'getToolDocs':
        return ended(toolDocumentation(text('server'), text('tool'), given.byCode));
      case 'executeToolCode':
        return this.#execute(text('code'), given.byCode, host);
      case 'searchTools': {
        const server = typeof input.server === 'string' && input.server !== '' ? input.server : undefined;
        return ended(
          await searchText({ query: text('query'), server, limit: lineNumber(input.limit) }, given.bySearch),
        );
      }
      case 'getToolDetails':
        return ended(detailsText(text('tool'), given.detailed));
      case 'executeTool':
        return executeOne(text('tool'), argumentsIn(input), given.bySearch, host);
    }
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }

  get #level() {
    return bindingLevelOf(this.#manager().code_mode_binding_level);
  }

  async #execute(code: string, tools: readonly CatalogTool[], host: MetaHost): Promise<MetaRun> {
    return this.#inTurn(host.signal, () => {
      const limits = limitsOf(this.#manager());
      const script = new Script({ code, servers: boundServers(tools), limits, thread: this.#threads.take() });
      this.#threads.prepare();
      return this.#runOf(script, script.start(scriptHost(tools, host), host.signal), tools);
    });
  }

  async #runOf(script: Script, running: Promise<ScriptState>, tools: readonly CatalogTool[]): Promise<MetaRun> {
    const state = await running;
    if (state.type === 'ended') return ended(state.report);
    return {
      type: 'paused',
      calls: state.calls,
      resume: (results, host) =>
        this.#inTurn(host.signal, () => {
          const answers = new Map(state.calls.flatMap((call) => answered(call, results.get(call.number))));
          return this.#runOf(script, script.resume(answers, scriptHost(tools, host), host.signal), tools);
        }),
      abandon: () => script.abandon(),
    };
  }

  async #inTurn(signal: AbortSignal, run: () => Promise<MetaRun>): Promise<MetaRun> {
    this.#turns.concurrency = this.#manager().code_mode_limits.max_parallel_scripts;
    return this.#turns.add(async () => {
      if (signal.aborted) throw new GatewayError('cancelled', 'the script was cancelled before it began');
      return run();
    });
  }
}

const ended = (text: string): MetaRun => ({ type: 'ended', result: { content: [{ type: 'text', text }] } });

/** Only what was bound for this script can be called by it, whatever names it makes up. */
function scriptHost(tools: readonly CatalogTool[], host: MetaHost): ScriptHost {
  const bound = new Set(tools.map(({ name }) => name));
  return {
    needsLeave: ({ tool }) => bound.has(tool) && host.needsLeave(tool),
    async allow({ tool, input }, signal) {
      if (!bound.has(tool)) throw new GatewayError('permission', unknownTool(tool));
      await host.allow(tool, input, signal);
    },
    async run({ tool, input }, signal) {
      return valueText(tool, await host.call(tool, input, signal));
    },
  };
}

const answered = (call: NestedCall, result: ToolResult | undefined): [number, Answer][] =>
  result ? [[call.number, answerOf(call, result)]] : [];

function answerOf({ tool, number: _ }: NestedCall, result: ToolResult): Answer {
  try {
    return { value: valueText(tool, result) };
  } catch (thrown) {
    return { message: `Error executing tool ${tool}: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
  }
}

/** What a call gives to code, as JSON text: structured content, or text that is JSON, or a string. */
function valueText(tool: string, result: ToolResult): string {
  const text = resultText(tool, result, RESULT_LIMITS);
  if (result.isError || text.startsWith('Error: ')) throw new Error(text);
  if (isObject(result.structuredContent)) return JSON.stringify(result.structuredContent);
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return JSON.stringify(text);
  }
}

/** One call of a tool that is found by search, as if it had been called by its own name. */
async function executeOne(
  tool: string,
  input: JsonObject,
  tools: readonly CatalogTool[],
  host: MetaHost,
): Promise<MetaRun> {
  if (!tools.some(({ name }) => name === tool)) throw new GatewayError('permission', unknownTool(tool));
  if (!host.needsLeave(tool)) return { type: 'ended', result: await host.call(tool, input, host.signal) };
  return {
    type: 'paused',
    calls: [{ number: 1, tool, input }],
    resume: async (results) => ({ type: 'ended', result: results.get(1) ?? noResult(tool) }),
    abandon: () => {},
  };
}

const noResult = (tool: string): ToolResult => ({
  content: [{ type: 'text', text: `nobody gave a result for ${tool}` }],
  isError: true,
});

function requiredText(name: MetaToolName, input: JsonObject, member: string): string {
  const value = input[member];
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new GatewayError('invalid-request', `${name} needs the argument '${member}', a text`);
}

const lineNumber = (value: unknown): number | undefined => {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};

/** Models often write the arguments of the inner tool as a text of JSON. */
function argumentsIn({ arguments: given }: JsonObject): JsonObject {
  if (given === undefined || given === null || given === '') return {};
  const value: unknown = typeof given === 'string' ? parsedJson(given) : given;
  if (isObject(value)) return value;
  throw new GatewayError('invalid-request', "executeTool needs 'arguments' to be an object");
}
