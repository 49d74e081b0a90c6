/** RFC 5424, quietest first. */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

export const isLogLevel = (level: unknown): level is string => typeof level === 'string' && LEVELS.includes(level);

/** Whether a message of this level is for a client that asked for `wanted`; one that asked for nothing gets all. */
export const isLoud = (level: unknown, wanted: string | undefined): boolean =>
  wanted === undefined || LEVELS.indexOf(String(level)) >= LEVELS.indexOf(wanted);

/** The level that lets through what any of these want; undefined for none. */
export const lowestLevel = (levels: Iterable<string>): string | undefined => {
  const indexes = [...levels].map((level) => LEVELS.indexOf(level)).filter((index) => index >= 0);
  return indexes.length === 0 ? undefined : LEVELS[Math.min(...indexes)];
};
