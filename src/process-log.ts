import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface ProcessLog {
  readonly log: Log;
  /** Text for people, outside the log's own form: the banner in the pretty style. */
  readonly print: (text: string) => void;
  flush(): void;
}

/** The process's own log on standard output: JSON lines, or lines for people. Secrets are never given to it. */
export function openProcessLog(level: LogLevel, style: 'json' | 'pretty'): ProcessLog {
  const destination = pino.destination({ dest: 1, sync: true });
  const logger: Logger =
    style === 'json'
      ? pino({ level, base: null }, destination)
      : pino({ level, base: null }, pretty({ destination: 1, sync: true, translateTime: 'SYS:HH:MM:ss' }));
  return {
    log: (at, message, fields = {}) => logger[at](fields, message),
    print: (text) => process.stdout.write(`${text}\n`),
    flush: () => logger.flush(),
  };
}
