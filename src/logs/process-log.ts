import { type DestinationStream, type Logger, pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface ProcessLog {
  readonly log: Log;
  /** Text for people, outside the log's own form: the banner in the pretty style. */
  readonly print: (text: string) => void;
  flush(): void;
}

/** The process's own log on standard output: JSON lines, or lines for people. Secrets are never given to it. */
export async function openProcessLog(level: LogLevel, style: 'json' | 'pretty'): Promise<ProcessLog> {
  const destination = style === 'json' ? jsonLines() : await readableLines();
  const logger: Logger = pino({ level, base: null }, destination);
  return {
    log: (at, message, fields = {}) => logger[at](fields, message),
    print: (text) => process.stdout.write(`${text}\n`),
    flush: () => logger.flush(),
  };
}

/** What waits while the disk is full that they are written to. */
const MOST_WAITING_BYTES = 1024 * 1024;

function jsonLines(): DestinationStream {
  const lines = pino.destination({ dest: 1, sync: true, maxLength: MOST_WAITING_BYTES });
  // a request has better things to do than to fail because nobody can be told of it
  return lines.on('error', () => undefined);
}

/** Imported for those who read it: a service that writes JSON starts without it. */
async function readableLines(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ destination: 1, sync: true, translateTime: 'SYS:HH:MM:ss' });
}
