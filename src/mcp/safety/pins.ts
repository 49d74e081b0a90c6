import type { JsonObject } from '../../model/json.ts';

/** A definition as it was first seen, or last released. */
export interface Pin {
  readonly hash: string;
  /** What counts in it, for the diff. */
  readonly definition: JsonObject;
  readonly pinnedAt: string;
  /** An admin has looked at it and let it pass, whatever was found in it. */
  readonly released?: boolean | undefined;
}

/** The tools of one client, by their original names. */
export interface ClientPins {
  /** Of where the client leads: an admin who leads it elsewhere means other tools. */
  readonly source: string;
  readonly tools: ReadonlyMap<string, Pin>;
}

/** What is pinned, by client id: rules keyed by names that people change would not hold (G11). */
export type Pins = ReadonlyMap<string, ClientPins>;

/** Where pins outlive a restart. */
export interface PinStore {
  /** What was kept when it was opened. */
  readonly pins: Pins;
  /** Keeps these in place of all before; later ones win. Rejects when they could not be written. */
  keep(pins: Pins): Promise<void>;
  /** Resolves when what was given is kept, or could not be. */
  settled(): Promise<void>;
}
