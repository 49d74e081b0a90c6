import type { EarlierEnd, Message } from '../model/content.ts';
import type { Usage } from '../model/usage.ts';
import type { PartNumbering, Turn } from './turn.ts';

/** A turn of the model that is over, and what came before it. */
export interface DoneTurn {
  /** What the client asked last. */
  readonly asked: Message | undefined;
  readonly turn: Turn;
  /** The tools that the gateway runs by itself. */
  readonly ours: ReadonlySet<string>;
  /** Of all turns. */
  readonly usage: Usage;
  readonly rounds: readonly Message[];
  readonly round: number;
  /** What was said at the ends of the turns before. */
  readonly earlier: readonly EarlierEnd[];
  readonly shows: boolean;
  readonly numbering: PartNumbering;
}
