import { readFileSync } from 'node:fs';
import type { McpClients } from '../../src/mcp/clients.ts';
import { DEFAULT_TIMING } from '../../src/mcp/timing.ts';
import { heldBytes } from './heap.ts';
import { callOf, firstText, isAlive, newClients, serverFile, stdioConfig, until } from './mcp-clients.ts';

export interface CyclesReport {
  readonly cycles: number;
  /** What went wrong, in words. */
  readonly faults: readonly string[];
  readonly serversStarted: number;
  /** Children that this process has for the servers, the guard among them, before the first cycle and after the last. */
  readonly processesAtStart: number;
  readonly processesAtEnd: number;
  readonly zombies: number;
  /** Of all that ever ran, after the clients were closed. */
  readonly serversLeft: number;
  /** Over the last three quarters of the cycles. */
  readonly heldBytesPerCycle: number;
  readonly seconds: number;
}

const CLIENTS = 4;
/** What has not ended by then is reported. */
const CALM_WITHIN_MS = 20_000;
const TOOLS = ['crash', 'echo', 'hoard', 'pid', 'slow'].join(' ');

const nameOf = (index: number): string => `light${index}`;

const configOf = (index: number) =>
  stdioConfig(nameOf(index), {
    client_id: nameOf(index),
    stdio_config: { command: process.execPath, args: [serverFile('light.mjs')] },
  });

/** Connects, crashes and kills stdio servers so many times, four side by side, with the waits of the product. */
export async function runStdioCycles(cycles: number): Promise<CyclesReport> {
  const startedAtMs = performance.now();
  // what other tests of this process have started, or left to their threads, is none of ours
  const others = new Set(childrenOf(process.pid));
  const ours = () => childrenOf(process.pid).filter((pid) => !others.has(pid));
  const { clients } = newClients(
    Array.from({ length: CLIENTS }, (_, index) => configOf(index)),
    { timing: DEFAULT_TIMING },
  );
  await clients.start();
  const run = new Cycles(clients);
  const processesAtStart = ours().length;
  const warmUp = Math.ceil(cycles / 4 / CLIENTS) * CLIENTS;
  await run.cycles(0, warmUp);
  const heldBefore = heldBytes();
  await run.cycles(warmUp, cycles);
  // a child that has just ended is a zombie until the event loop comes round to it
  const zombiesNow = () => ours().filter((pid) => !isAlive(pid)).length;
  const isCalm = () => ours().length <= processesAtStart && zombiesNow() === 0;
  const isLateAtMs = performance.now() + CALM_WITHIN_MS;
  await until(() => isCalm() || performance.now() > isLateAtMs);
  const heldBytesPerCycle = Math.round((heldBytes() - heldBefore) / Math.max(1, cycles - warmUp));
  const processesAtEnd = ours().length;
  const zombies = zombiesNow();
  await clients.close();
  return {
    cycles,
    faults: run.faults,
    serversStarted: run.pids.size,
    processesAtStart,
    processesAtEnd,
    zombies,
    serversLeft: [...run.pids].filter(isAlive).length,
    heldBytesPerCycle,
    seconds: Math.round((performance.now() - startedAtMs) / 100) / 10,
  };
}

class Cycles {
  readonly faults: string[] = [];
  readonly pids = new Set<number>();
  readonly #clients: McpClients;
  /** Clients that a disturbance took away for a moment: only they may list nothing. */
  readonly #away = new Set<string>();

  constructor(clients: McpClients) {
    this.#clients = clients;
    clients.onChange(() => this.#checkLists('a change of the catalog'));
  }

  async cycles(from: number, to: number): Promise<void> {
    for (let first = from; first < to; first += CLIENTS) {
      const indexes = Array.from({ length: Math.min(CLIENTS, to - first) }, (_, index) => index);
      await Promise.all(indexes.map((index) => this.#cycle(index, first + index)));
      this.#checkLists(`after cycle ${first}`);
    }
  }

  /** A call before, a disturbance, a call after, which must be answered as if nothing had happened. */
  async #cycle(index: number, cycle: number): Promise<void> {
    try {
      const pid = Number(await this.#call(index, 'pid'));
      this.pids.add(pid);
      // each client meets each disturbance
      await this.#disturbances[(cycle + Math.floor(cycle / CLIENTS)) % this.#disturbances.length]?.(index, pid);
      const value = `cycle ${cycle}`;
      const echoed = await this.#call(index, 'echo', { value });
      if (echoed !== value) this.faults.push(`cycle ${cycle}: the server answered "${echoed}"`);
    } catch (thrown) {
      this.faults.push(`cycle ${cycle}: ${String(thrown)}`);
    }
  }

  readonly #disturbances: readonly ((index: number, pid: number) => Promise<unknown>)[] = [
    async (_, pid) => process.kill(pid, 'SIGKILL'),
    (index) => this.#call(index, 'crash').catch(() => undefined),
    async (_, pid) => process.kill(pid, 'SIGTERM'),
    async (index, pid) => {
      const running = this.#call(index, 'slow', { ms: 60_000 }).catch(() => undefined);
      process.kill(pid, 'SIGKILL');
      await running;
    },
    (index) => this.#clients.reconnect(nameOf(index)),
    (index) =>
      this.#takenAway(index, async () => {
        await this.#clients.update(nameOf(index), { disabled: true });
        await this.#clients.update(nameOf(index), { disabled: false });
      }),
    (index) =>
      this.#takenAway(index, async () => {
        await this.#clients.remove(nameOf(index));
        await this.#clients.add(configOf(index));
      }),
  ];

  async #takenAway(index: number, action: () => Promise<void>): Promise<void> {
    this.#away.add(nameOf(index));
    await action();
    this.#away.delete(nameOf(index));
  }

  async #call(index: number, tool: string, args = {}): Promise<string> {
    return firstText(await this.#clients.call(callOf(`${nameOf(index)}-${tool}`, args)));
  }

  #checkLists(when: string): void {
    for (const { name, tools } of this.#clients.statuses()) {
      const listed = tools.map(({ upstreamName }) => upstreamName).join(' ');
      const isAllowed = listed === TOOLS || (listed === '' && this.#away.has(name));
      if (!isAllowed) this.faults.push(`${when}: ${name} lists "${listed}"`);
    }
  }
}

/** Living or not yet noticed to be dead; only Linux tells. */
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}
