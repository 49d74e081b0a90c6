/** One thing a translation dropped, rewrote or invented. `field` is a path in the body it came from or went to. */
export interface Loss {
  readonly field: string;
  readonly action: 'dropped' | 'rewritten' | 'invented';
  readonly reason: string;
}
