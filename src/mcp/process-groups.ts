import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The process groups that we started and must not leave behind. A stdio server is often a wrapper (npx, uvx, a shell)
 * whose real server would survive a kill of the wrapper alone, so everything here is about whole groups.
 */
const groups = new Set<number>();
let guard: ChildProcess | undefined;

/** From SIGKILL until the processes are gone. */
const KILLED_MS = 100;

const isWindows = process.platform === 'win32';

/**
 * A shell that outlives us only to clean up: it is told each group, and when its stdin ends, because we closed it or
 * because we were killed with -9, it ends the groups that are left. In a group of its own, so that Ctrl-C spares it.
 */
const GUARD_SCRIPT = `
groups=
while read -r operation group; do
  case $operation in
    +) groups="$groups $group" ;;
    -) kept=
       for each in $groups; do [ "$each" = "$group" ] || kept="$kept $each"; done
       groups=$kept ;;
  esac
done
for each in $groups; do kill -s TERM -- "-$each"; done
[ -z "$groups" ] || sleep 2
for each in $groups; do kill -s KILL -- "-$each"; done
`;

function startGuard(): ChildProcess {
  const started = spawn('/bin/sh', ['-c', GUARD_SCRIPT], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
  });
  // Without a shell there is no guard; everything else still holds.
  started.on('error', () => undefined);
  started.on('exit', () => {
    if (guard === started) guard = undefined;
  });
  started.stdin?.on('error', () => undefined);
  started.unref();
  // The pipe is a net.Socket, which the stream's type does not say.
  (started.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return started;
}

function tellGuard(line: string): void {
  if (isWindows) return;
  if (guard) {
    guard.stdin?.write(`${line}\n`);
    return;
  }
  guard = startGuard();
  guard.stdin?.write([...groups].map((group) => `+ ${group}\n`).join(''));
}

/** From now on the group led by `pid` dies with us, however we die. */
export function adoptGroup(pid: number): void {
  if (groups.size === 0) process.once('exit', killAll);
  groups.add(pid);
  tellGuard(`+ ${pid}`);
}

function releaseGroup(pid: number): void {
  if (!groups.delete(pid)) return;
  tellGuard(`- ${pid}`);
  if (groups.size === 0) process.removeListener('exit', killAll);
}

/** Whether the signal found anybody. Signal 0 only asks. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(isWindows ? pid : -pid, signal);
  } catch (thrown) {
    // EPERM: somebody is there, but not ours to signal (a server that changed its user).
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** The last resort, for `process.on('exit')`: synchronous, and not polite. */
function killAll(): void {
  for (const group of groups) signalGroup(group, 'SIGKILL');
}

async function groupEnds(pid: number, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  for (let pauseMs = 5; signalGroup(pid, 0); pauseMs = Math.min(50, pauseMs * 2)) {
    if (performance.now() >= end) return false;
    await sleep(pauseMs);
  }
  return true;
}

/** Ends whatever is left of the group after its leader has ended: asks, waits, kills. */
export async function endGroup(pid: number, graceMs: number): Promise<void> {
  if (signalGroup(pid, 0)) {
    signalGroup(pid, 'SIGTERM');
    if (!(await groupEnds(pid, graceMs))) {
      signalGroup(pid, 'SIGKILL');
      // Dead for certain; where nobody reaps orphans (a container without an init) they stay visible for ever.
      await groupEnds(pid, KILLED_MS);
    }
  }
  releaseGroup(pid);
}
