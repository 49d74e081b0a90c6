import type { McpClientConfig, ToolMode } from '../config/schema.ts';
import type { Caller } from '../model/call.ts';
import { exposedName } from './catalog.ts';
import type { ClientStatus } from './contract.ts';
import { isFiltered, refusalOf, type WhyNot, whyNot } from './filters.ts';
import { injectedTools } from './inject.ts';

/** Why a visible tool is not put into model requests: the request has one of its name, or it has to be asked for. */
type WhyNotInjected = 'own-tool-of-that-name' | 'only-on-demand';

/** One tool of one client, as one caller would find it. */
export interface InspectedTool {
  readonly name: string;
  readonly client: string;
  readonly upstreamName: string;
  readonly isVisible: boolean;
  readonly why?: WhyNot;
  /** The words with which a call would be refused. */
  readonly refusal?: string;
  readonly mode: ToolMode;
  readonly autoExecute: boolean;
  readonly isInjected: boolean;
  readonly whyNotInjected?: WhyNotInjected;
}

export interface Inspection {
  readonly caller: Caller;
  /** Names of the request's own tools. */
  readonly ownNames: readonly string[];
  /** `disable_auto_tool_inject`. */
  readonly onlyOnDemand: boolean;
}

export type InspectedClient = readonly [status: ClientStatus, config: McpClientConfig];

/**
 * Every tool that any client lists, and whether this caller would see it; otherwise why not. What decides are the very
 * functions that decide for listings, injection and calls.
 */
export function inspected(clients: readonly InspectedClient[], inspection: Inspection): InspectedTool[] {
  const { caller } = inspection;
  const judged = clients.flatMap(([status, config]) =>
    namesOf(status).map((upstreamName) => {
      const heldBack = status.heldTools.find(({ tool }) => tool === upstreamName)?.why;
      const tool = { name: exposedName(config.name, upstreamName), upstreamName, heldBack };
      const why = whyNot(tool, config, caller);
      return { tool, config, status, why, refusal: refusalOf(tool, config, caller) };
    }),
  );
  const visible = judged.flatMap(({ tool, status, why }) =>
    why ? [] : status.tools.filter(({ upstreamName }) => upstreamName === tool.upstreamName),
  );
  const injected = new Set(injectedTools({ ...inspection, visible }).map(({ name }) => name));
  return judged.map(({ tool, config, status, why, refusal }) => {
    const offered = status.tools.find(({ upstreamName }) => upstreamName === tool.upstreamName);
    const isInjected = injected.has(tool.name);
    return {
      name: tool.name,
      client: config.name,
      upstreamName: tool.upstreamName,
      isVisible: why === undefined,
      ...(why && { why }),
      ...(refusal !== undefined && { refusal }),
      mode: offered?.mode ?? 'direct',
      autoExecute: offered?.autoExecute ?? false,
      isInjected,
      ...(!why && !isInjected && { whyNotInjected: whyNotInjected(inspection) }),
    };
  });
}

const whyNotInjected = ({ onlyOnDemand, caller }: Inspection): WhyNotInjected =>
  onlyOnDemand && !isFiltered(caller) ? 'only-on-demand' : 'own-tool-of-that-name';

const namesOf = ({ tools, hiddenTools, heldTools }: ClientStatus): string[] => {
  const all = [...tools.map(({ upstreamName }) => upstreamName), ...hiddenTools, ...heldTools.map(({ tool }) => tool)];
  return [...new Set(all)].sort();
};
