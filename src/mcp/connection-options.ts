import type { McpClientConfig } from '../config/schema.ts';
import type { Manifests } from './fleet/manifests.ts';
import type { PeerEvents } from './peer.ts';
import type { ToolSafety } from './safety/tool-safety.ts';
import type { McpLog } from './telling.ts';
import type { McpTiming } from './timing.ts';
import type { TransportOptions } from './transports.ts';

/** What every connection of one gateway is made with. */
export interface ConnectionOptions {
  readonly transport: TransportOptions;
  readonly timing: McpTiming;
  readonly random: () => number;
  readonly log: McpLog;
  /** The tools or the state changed. */
  readonly changed: () => void;
  /** What stdio servers offered when they last ran. */
  readonly manifests?: Manifests | undefined;
  /** Takes what the servers ask and say of themselves. */
  readonly peers?: ((config: () => McpClientConfig) => PeerEvents) | undefined;
  /** Marks what of a list is held back until an admin releases it. */
  readonly safety?: Pick<ToolSafety, 'review' | 'lookAhead'> | undefined;
}
