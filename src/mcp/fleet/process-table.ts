import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process as the system knows it. Two processes of one id that began at the same time are one process. */
export interface ProcessFacts {
  readonly pid: number;
  /** The process group. */
  readonly group: number;
  /** Names the run of the system that `startedAt` counts in; empty where that is an absolute time. */
  readonly boot: string;
  /** Grows with time; the unit is the system's own. */
  readonly startedAt: number;
  readonly residentBytes: number;
}

const isLinux = process.platform === 'linux';

/** Every living process of this machine that we may see; nothing on Windows, which has no process groups. */
export function processTable(): ProcessFacts[] {
  if (process.platform === 'win32') return [];
  return isLinux ? procTable() : psTable(['-A']);
}

/** One process; undefined when none of that id lives. */
export function processFacts(pid: number): ProcessFacts | undefined {
  if (process.platform === 'win32') return undefined;
  return isLinux ? procFacts(pid) : psTable(['-p', String(pid)])[0];
}

function procTable(): ProcessFacts[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => procFacts(Number(pid)) ?? []);
}

/** Source: proc(5), `/proc/[pid]/stat`; the name in parentheses may hold anything, also parentheses. */
function procFacts(pid: number): ProcessFacts | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const [state, , group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (isDead(state)) return undefined;
  return {
    pid,
    group: Number(group),
    boot: bootId(),
    startedAt: Number(rest[16]),
    residentBytes: Number(rest[18]) * pageBytes(),
  };
}

let knownBootId: string | undefined;
function bootId(): string {
  knownBootId ??= textOf('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown';
  return knownBootId;
}

let knownPageBytes: number | undefined;
/** `stat` counts pages, `status` kilobytes: our own memory in both gives the size of a page. */
function pageBytes(): number {
  if (knownPageBytes === undefined) {
    const kilobytes = Number(/VmRSS:\s+(\d+) kB/.exec(textOf('/proc/self/status') ?? '')?.[1] ?? 4);
    const pages = Number(textOf('/proc/self/statm')?.split(' ')[1] ?? 1);
    // sizes of pages are powers of two; our memory may have grown between the two readings
    knownPageBytes = 2 ** Math.round(Math.log2((kilobytes * 1_024) / pages));
  }
  return knownPageBytes;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Ended, and not yet noticed by its parent. */
const isDead = (state: string | undefined): boolean => state === undefined || /^[ZX]/.test(state);

const PS_LINE = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(.+?)\s*$/;

/** The same by POSIX `ps`, with BSD's `lstart`, for systems without /proc. */
export function psTable(selection: readonly string[]): ProcessFacts[] {
  let text: string;
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    text = execFileSync('ps', [...selection, '-o', 'pid=,pgid=,stat=,rss=,lstart='], { encoding: 'utf8', env });
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const [, pid, group, state, kilobytes, started] = PS_LINE.exec(line) ?? [];
    const startedAt = Date.parse(started ?? '');
    if (pid === undefined || isDead(state) || Number.isNaN(startedAt)) return [];
    return [{ pid: Number(pid), group: Number(group), boot: '', startedAt, residentBytes: Number(kilobytes) * 1_024 }];
  });
}
