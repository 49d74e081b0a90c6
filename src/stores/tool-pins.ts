import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { GatewayError } from '../model/errors.ts';
import { isObject } from '../model/json.ts';

const pin = z.object({
  hash: z.string(),
  definition: z.record(z.string(), z.json()),
  pinnedAt: z.string(),
  released: z.boolean().optional(),
});
const client = z.object({ source: z.string(), tools: z.record(z.string(), pin) });
const storedFile = z.object({ version: z.literal(1), clients: z.record(z.string(), client) });

type Pin = z.output<typeof pin>;
type ClientPins = { readonly source: string; readonly tools: ReadonlyMap<string, Pin> };
type Pins = ReadonlyMap<string, ClientPins>;

/** The pinned tool definitions in one file of the app-dir. */
export interface ToolPins {
  readonly pins: Pins;
  keep(pins: Pins): Promise<void>;
  /** Resolves when what was given is on the disk, or could not be written. */
  settled(): Promise<void>;
}

/** Throws GatewayError when the file is there and cannot be read: without it every changed tool would pass as new. */
export async function openToolPins(path: string): Promise<ToolPins> {
  const pins = await readPins(path);
  let waiting: { readonly pins: Pins; readonly done: Promise<void> } | undefined;
  let last: Promise<void> = Promise.resolve();
  return {
    pins,
    keep(next) {
      // writes that have not begun are one write: the latest has everything
      if (waiting) {
        waiting = { pins: next, done: waiting.done };
        return waiting.done;
      }
      const done = last
        .catch(() => {})
        .then(() => {
          const latest = waiting?.pins ?? next;
          waiting = undefined;
          return writePins(path, latest);
        });
      waiting = { pins: next, done };
      last = done;
      return done;
    },
    settled: () => last.catch(() => {}),
  };
}

async function readPins(path: string): Promise<Pins> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isObject(cause) && cause.code === 'ENOENT') return new Map();
    throw unreadable(path, cause);
  }
  try {
    const { clients } = storedFile.parse(JSON.parse(text));
    return new Map(
      Object.entries(clients).map(([id, { source, tools }]) => [id, { source, tools: new Map(Object.entries(tools)) }]),
    );
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

const unreadable = (path: string, cause: unknown): GatewayError =>
  new GatewayError(
    'internal',
    `${path} holds the pinned tool definitions and cannot be read; mend it, or remove it to trust every tool as it is now`,
    { cause },
  );

/** Whole or not at all, whatever happens half-way. */
async function writePins(path: string, pins: Pins): Promise<void> {
  const clients = Object.fromEntries(
    [...pins].map(([id, { source, tools }]) => [id, { source, tools: Object.fromEntries(tools) }]),
  );
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, `${JSON.stringify({ version: 1, clients })}\n`, { mode: 0o600, flush: true });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw new GatewayError('internal', `${path} cannot be written, so what was pinned is lost at the next start`, {
      cause,
    });
  }
}
