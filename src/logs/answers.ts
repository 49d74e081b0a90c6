import type { McpLogFilters } from '../stores/log-filters.ts';
import type { LogContents, LogFacts, LogStore } from '../stores/log-store.ts';
import { type Codecs, shownContents, summaryOf } from './decoded.ts';
import {
  allBuckets,
  bucketSecondsOf,
  shownMcpCosts,
  shownMcpFacets,
  shownMcpHistogram,
  shownMcpTool,
} from './mcp-shown.ts';
import type { LogQuestions } from './protocol.ts';
import { logStatsOf, mcpLogStatsOf, type ShownLog, shownLog, shownMcpLog, shownPaging } from './shown.ts';

type Answers = {
  [Name in keyof LogQuestions]: (...args: Parameters<LogQuestions[Name]>) => Promise<ReturnType<LogQuestions[Name]>>;
};

/** Rows further down a page are listed without a summary: each one means decoding a whole request. */
const SUMMARIES_ON_A_PAGE = 100;

/** What the log answers, in the shape of the admin API. `codecs` is asked for once contents must be read. */
export function answersFrom(store: LogStore, codecs: () => Promise<Codecs>): Answers {
  const contentsOf = async ({ number }: LogFacts): Promise<LogContents | undefined> => store.logContents(number);

  const summarised = async (facts: LogFacts, index: number): Promise<ShownLog> => {
    const contents = index < SUMMARIES_ON_A_PAGE ? await contentsOf(facts) : undefined;
    return shownLog(facts, contents ? { content_summary: summaryOf(contents, await codecs()) } : {});
  };

  const bucketsOf = async (filters: McpLogFilters) => {
    const { startMs, endMs } = filters;
    const seconds = bucketSecondsOf(startMs, endMs);
    const found = await store.mcpLogHistogram(filters, seconds * 1_000);
    return [allBuckets(found, seconds, startMs, endMs), seconds] as const;
  };

  return {
    async listLogs(filters, paging) {
      const { rows, totals, hasLogs } = await store.listLogs(filters, paging);
      const logs: ShownLog[] = [];
      // one at a time: a page of large requests must not be in memory at once
      for (const [index, facts] of rows.entries()) logs.push(await summarised(facts, index));
      return { logs, pagination: shownPaging(paging, totals), stats: logStatsOf(totals), has_logs: hasLogs };
    },
    async getLog(id) {
      const facts = await store.getLog(id);
      if (!facts) return undefined;
      const contents = await contentsOf(facts);
      return shownLog(facts, contents ? shownContents(facts, contents, await codecs()) : {});
    },
    logStats: async (filters) => logStatsOf(await store.logTotals(filters)),
    async listMcpLogs(filters, paging) {
      const { rows, totals, hasLogs } = await store.listMcpLogs(filters, paging);
      const logs = [];
      for (const facts of rows) logs.push(shownMcpLog(facts, await store.mcpLogContents(facts.number)));
      return { logs, pagination: shownPaging(paging, totals), stats: mcpLogStatsOf(totals), has_logs: hasLogs };
    },
    async getMcpLog(id) {
      const facts = await store.getMcpLog(id);
      return facts && shownMcpLog(facts, await store.mcpLogContents(facts.number));
    },
    mcpLogStats: async (filters) => mcpLogStatsOf(await store.mcpLogTotals(filters)),
    mcpLogFacets: async () => shownMcpFacets(await store.mcpLogFacets()),
    mcpHistogram: async (filters) => shownMcpHistogram(...(await bucketsOf(filters))),
    mcpCosts: async (filters) => shownMcpCosts(...(await bucketsOf(filters))),
    mcpTools: async (filters, limit) => (await store.mcpToolTotals(filters, limit)).map(shownMcpTool),
    endLeftRuns: () => store.endLeftRuns(),
    deleteRows: (table, ids) => store.deleteRows(table, ids),
  };
}
