import type { McpClientConfig } from '../config/schema.ts';
import type { SingleSessions } from './calls.ts';
import { staged } from './health.ts';
import type { ToolSafety } from './safety/tool-safety.ts';
import { Session, type SessionEvents } from './session.ts';
import type { McpTiming } from './timing.ts';
import { type TransportOptions, transportFor } from './transports.ts';

export interface DiallerOptions {
  /** As it is now. */
  readonly config: () => McpClientConfig;
  readonly transport: TransportOptions;
  readonly timing: McpTiming;
  /** Looks at a list before it is taken. */
  readonly safety?: Pick<ToolSafety, 'lookAhead'> | undefined;
  /** What the sessions tell their connection. */
  readonly eventsOf: (session: () => Session) => SessionEvents;
}

/** Makes the sessions of one MCP client, and ends those that are not, or no longer, the one for new calls. */
export class Dialler {
  readonly #options: DiallerOptions;
  readonly #stop = new AbortController();
  /** Being dialled, running a call of their own, or finishing their calls. */
  readonly #sessions = new Set<Session>();
  #lastStderr: readonly string[] = [];

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** What the server wrote to stderr in the last dial that failed. */
  get lastStderr(): readonly string[] {
    return this.#lastStderr;
  }

  /** Whether the config says how to reach a server. */
  get isUsable(): boolean {
    try {
      transportFor(this.#options.config(), this.#options.transport);
      return true;
    } catch {
      return false;
    }
  }

  /** An initialised session and its tools, unread. Throws StageError, and what the config is at fault for. */
  async connect(): Promise<{ session: Session; listed: readonly unknown[] }> {
    const { config, timing } = this.#options;
    const session = this.#newSession(config().name);
    try {
      await staged('connect', session.open(timing.stepTimeoutMs, this.#stop.signal));
      const listed = await staged('list_tools', session.listTools(timing.stepTimeoutMs));
      await this.#options.safety?.lookAhead(config(), listed);
      this.#stop.signal.throwIfAborted();
      if (session.closed) throw session.explained(new Error('Not connected'));
      return { session, listed };
    } catch (thrown) {
      this.#lastStderr = session.stderr;
      await session.close();
      throw thrown;
    } finally {
      this.#sessions.delete(session);
    }
  }

  /** Sessions for one call each. */
  readonly singleSessions: SingleSessions = {
    open: async (timeoutMs) => {
      const { config, timing } = this.#options;
      const session = this.#newSession(`${config().name}-user`);
      await session.open(Math.min(timeoutMs, timing.stepTimeoutMs), this.#stop.signal).catch((thrown: unknown) => {
        this.#sessions.delete(session);
        throw thrown;
      });
      return session;
    },
    release: (session) => this.retire(session),
  };

  /** A session beside the others, with its own events, for as long as its owner wants it. */
  async beside(name: string, events: SessionEvents): Promise<Session> {
    const { config, transport, timing } = this.#options;
    this.#stop.signal.throwIfAborted();
    const session: Session = new Session(name, transportFor(config(), transport, { prefersOlder: true }), {
      ...events,
      onClosed: () => {
        this.#sessions.delete(session);
        events.onClosed();
      },
    });
    this.#sessions.add(session);
    await session.open(timing.stepTimeoutMs, this.#stop.signal);
    return session;
  }

  /** Calls in flight may finish on the session; then it goes. */
  retire(session: Session): void {
    this.#sessions.add(session);
    const end = async () => {
      await session.drained(this.#options.timing.drainMs);
      await session.close();
    };
    void end().finally(() => this.#sessions.delete(session));
  }

  /** No dial begins or goes on from now on. */
  stop(): void {
    this.#stop.abort(new Error('the MCP client was closed'));
  }

  /** Ends every session that is here. */
  async close(): Promise<void> {
    this.stop();
    await Promise.allSettled([...this.#sessions].map((session) => session.close()));
  }

  #newSession(name: string): Session {
    const { config, transport, eventsOf } = this.#options;
    this.#stop.signal.throwIfAborted();
    const session: Session = new Session(
      name,
      transportFor(config(), transport),
      eventsOf(() => session),
    );
    this.#sessions.add(session);
    return session;
  }
}
