/**
 * Request headers that are already as they go on the wire. It is an (empty) `Headers` so that SDKs which insist on one
 * pass it on as it is; our fetch sends `wire`.
 */
export class WireHead extends Headers {
  readonly wire: Readonly<Record<string, string>>;

  constructor(wire: Readonly<Record<string, string>>) {
    super();
    this.wire = wire;
  }

  /** The SDK writes its request headers out for a debug log that is off; nothing is nothing, at once. */
  override readonly [Symbol.iterator] = nothing;
}

const nothing = (): ReturnType<Headers['entries']> => NOTHING[Symbol.iterator]();
const NOTHING: readonly [string, string][] = [];
