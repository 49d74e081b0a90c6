import type { CallContext, Caller } from '../model/call.ts';
import { GatewayError } from '../model/errors.ts';
import type { Usage } from '../model/usage.ts';
import type { LogLimits } from '../stores/retention.ts';
import { jsonText } from './contents.ts';
import type { Metrics } from './metrics.ts';
import type { LogQuestions, QuestionName } from './protocol.ts';
import { type CutText, rowOfCall, rowOfToolRun, type ToolRunRecord, type ToolRunStart } from './record.ts';
import { RunningTools } from './running-tools.ts';
import type { KeyOwner, LogSink } from './sink.ts';
import { LogWorker } from './worker-link.ts';
import { LogWriter, type QueueLimits, type WriterCounters } from './writer.ts';

export interface LogsOptions {
  /** The database file, apart from the config's. */
  readonly path: string;
  /** False = calls are counted in the metrics and written nowhere. */
  readonly enabled: boolean;
  /** False = numbers only: nothing of what was said is collected, unless a caller who may decide says otherwise. */
  readonly contentLogging: boolean;
  readonly limits?: LogLimits;
  readonly queue?: Partial<QueueLimits>;
  /** For each side of a call; what is longer is cut. */
  readonly maxContentBytes?: number;
  readonly sweepEveryMs?: number;
  readonly metrics: Metrics;
  costOf(provider: string, model: string, usage: Usage, context: CallContext): number | undefined;
  /** Absent = virtual keys are not named in the log. */
  readonly ownerOf?: (caller: Caller) => KeyOwner | undefined;
  /** Told of trouble with the database, once until things go well again. */
  warn(message: string): void;
}

type Asked<Name extends QuestionName> = (
  ...args: Parameters<LogQuestions[Name]>
) => Promise<ReturnType<LogQuestions[Name]>>;

/** The log: where records go, and what can be asked of it. Questions throw GatewayError when they cannot be answered. */
export interface Logs {
  readonly sink: LogSink;
  readonly listLogs: Asked<'listLogs'>;
  /** With everything that was said, decoded. */
  readonly getLog: Asked<'getLog'>;
  readonly logStats: Asked<'logStats'>;
  readonly listMcpLogs: Asked<'listMcpLogs'>;
  readonly getMcpLog: Asked<'getMcpLog'>;
  readonly mcpLogStats: Asked<'mcpLogStats'>;
  readonly mcpLogFacets: Asked<'mcpLogFacets'>;
  readonly mcpHistogram: Asked<'mcpHistogram'>;
  readonly mcpCosts: Asked<'mcpCosts'>;
  readonly mcpTools: Asked<'mcpTools'>;
  /** Gives how many there were to delete. */
  deleteLogs(ids: readonly string[]): Promise<number>;
  deleteMcpLogs(ids: readonly string[]): Promise<number>;
  counters(): WriterCounters;
  /** Opens the database now; otherwise the first row does, and waits for it. */
  start(): void;
  /** Resolves once everything recorded so far is in the database, or lost and counted. */
  flush(): Promise<void>;
  /** Writes what is left and ends the worker; after `timeoutMs` what cannot be written at once is lost. */
  close(timeoutMs?: number): Promise<void>;
}

const MIB = 1024 * 1024;
const DEFAULT_QUEUE: QueueLimits = { maxRows: 10_000, maxBytes: 64 * MIB };
const DEFAULT_CONTENT_BYTES = MIB;
const DEFAULT_SWEEP_MS = 5 * 60_000;
const CLOSE_TIMEOUT_MS = 10_000;
/** Age, rows and bytes are all bounded unless somebody says otherwise (pitfall J1). */
const DEFAULT_LIMITS: LogLimits = { retentionDays: 365, maxRows: 5_000_000, maxBytes: 4_096 * MIB };

/** Never throws: a database that cannot be opened is told to `warn`, and requests go on. */
export function openLogs(options: LogsOptions): Logs {
  const { path, sweepEveryMs = DEFAULT_SWEEP_MS } = options;
  const worker = new LogWorker({ path, sweepEveryMs, limits: { ...DEFAULT_LIMITS, ...options.limits } }, options.warn);
  const writer = new LogWriter((batch) => worker.send(batch), { ...DEFAULT_QUEUE, ...options.queue });
  options.metrics.showLog(() => writer.counters);

  const asked =
    <Name extends QuestionName>(name: Name): Asked<Name> =>
    async (...args) => {
      if (!options.enabled)
        throw new GatewayError('not-found', 'request logs are off; switch enable_logging on to read them');
      writer.sendNow();
      return worker.ask(name, ...args);
    };
  const deleteRows = asked('deleteRows');
  const running = new RunningTools((start) =>
    writer.write('mcp_logs', rowOfToolRun(start, contentsOf(start, options))),
  );
  /** What is asked of tool runs is answered with those that go on as well. */
  const askedOfRuns =
    <Name extends QuestionName>(name: Name): Asked<Name> =>
    async (...args) => {
      if (running.isFirstLook()) await asked('endLeftRuns')();
      running.show();
      return asked(name)(...args);
    };

  return {
    sink: sinkOf(options, writer, running),
    listLogs: asked('listLogs'),
    getLog: asked('getLog'),
    logStats: asked('logStats'),
    listMcpLogs: askedOfRuns('listMcpLogs'),
    getMcpLog: askedOfRuns('getMcpLog'),
    mcpLogStats: askedOfRuns('mcpLogStats'),
    mcpLogFacets: askedOfRuns('mcpLogFacets'),
    mcpHistogram: askedOfRuns('mcpHistogram'),
    mcpCosts: askedOfRuns('mcpCosts'),
    mcpTools: askedOfRuns('mcpTools'),
    deleteLogs: (ids) => deleteRows('logs', ids),
    deleteMcpLogs: (ids) => deleteRows('mcp_logs', ids),
    counters: () => writer.counters,
    start() {
      if (options.enabled) worker.start();
    },
    flush: () => writer.flush(),
    async close(timeoutMs = CLOSE_TIMEOUT_MS) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => resolve(worker.abandon()), timeoutMs);
      });
      await Promise.race([writer.flush().then(() => worker.close()), late]);
      clearTimeout(timer);
    },
  };
}

function sinkOf(options: LogsOptions, writer: LogWriter, running: RunningTools): LogSink {
  const { enabled, metrics, costOf, ownerOf, maxContentBytes = DEFAULT_CONTENT_BYTES } = options;
  const { contentLogging } = options;
  return {
    keepsContentsOf: ({ keepsContents = contentLogging }) => enabled && keepsContents,
    maxContentBytes,
    costOf,
    ownerOf: (caller) => ownerOf?.(caller),
    recordCall(record) {
      metrics.modelCall(record);
      if (enabled) writer.write('logs', rowOfCall(record));
    },
    beginToolRun(start) {
      if (enabled) running.begin(start);
    },
    recordToolRun(record) {
      metrics.toolRun(record);
      if (!enabled) return;
      running.end(record);
      writer.write('mcp_logs', rowOfToolRun(record, contentsOf(record, options)));
    },
  };
}

/** What went in and what came out; undefined where nothing of it is to be kept. */
function contentsOf(
  { arguments: input, result, keepsContents }: ToolRunStart & Partial<ToolRunRecord>,
  { enabled, contentLogging, maxContentBytes = DEFAULT_CONTENT_BYTES }: LogsOptions,
): CutText[] | undefined {
  if (!enabled || !(keepsContents ?? contentLogging)) return undefined;
  return [jsonText(input, maxContentBytes), jsonText(result, maxContentBytes)];
}
