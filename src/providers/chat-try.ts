import type { CallContext } from '../model/call.ts';
import type { ChatRequest } from '../model/request.ts';
import type { ChatServers } from './chat-servers.ts';
import type { OutgoingOptions } from './outgoing.ts';
import type { Deployment } from './provider.ts';
import type { CallTarget } from './target.ts';
import type { Upstreams } from './upstreams.ts';

/** What all tries of a gateway share. */
export interface ChatMeans {
  readonly writing: OutgoingOptions;
  readonly upstreams: Upstreams;
  readonly chatServers: ChatServers;
}

/** One chat on its way to one target: what each of its steps needs. */
export interface ChatTry {
  readonly means: ChatMeans;
  /** The target's, as it turned out to be in earlier calls. */
  readonly deployment: Deployment;
  readonly target: CallTarget;
  readonly request: ChatRequest;
  readonly context: CallContext;
}
