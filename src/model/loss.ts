/** One thing a translation dropped, rewrote or invented. `field` is a path in the body it came from or went to. */
export interface Loss {
  /** `*` stands for places where the same happened more than once. */
  readonly field: string;
  readonly action: 'dropped' | 'rewritten' | 'invented';
  readonly reason: string;
  /** How often it happened; absent means once. */
  readonly count?: number;
}
