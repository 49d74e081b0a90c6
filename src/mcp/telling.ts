import type { McpClientConfig } from '../config/schema.ts';
import { GatewayError } from '../model/errors.ts';
import type { JsonObject } from '../model/json.ts';
import type { LastFailure } from './contract.ts';
import { reasonOf } from './failures.ts';
import { StageError } from './health.ts';
import type { FailureStage } from './lifecycle.ts';
import { ToldOnce } from './told-once.ts';
import { withoutSecrets } from './transports.ts';

export type McpLog = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: JsonObject) => void;

/** What is told of one MCP client, in logs and in answers: never with what its config keeps secret. */
export class Telling {
  readonly #config: () => McpClientConfig;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #log: McpLog;
  readonly #told = new ToldOnce();

  constructor(config: () => McpClientConfig, environment: NodeJS.ProcessEnv, log: McpLog) {
    this.#config = config;
    this.#environment = environment;
    this.#log = log;
  }

  log(level: 'debug' | 'info' | 'warn', message: string, fields: JsonObject = {}): void {
    const { name } = this.#config();
    this.#log(level, `MCP client ${name}: ${this.hidden(message)}`, { mcpClient: name, ...fields });
  }

  /** A server that stays away is told of once: what its state is meanwhile, the catalog says. */
  failed({ message, stage }: Omit<LastFailure, 'since'>): void {
    this.log(this.#told.isNew(message) ? 'warn' : 'debug', message, { stage });
  }

  wentWell(): void {
    this.#told.wentWell();
  }

  hidden(text: string): string {
    return withoutSecrets(text, this.#config(), this.#environment);
  }

  /** The error itself where it tells no secret. */
  hiddenError(thrown: unknown): unknown {
    const message = reasonOf(thrown);
    const hidden = this.hidden(message);
    return hidden === message || thrown instanceof GatewayError ? thrown : new Error(hidden);
  }

  /** A failure of now; `stage` where the error itself does not say in which step it came. */
  failure(stage: FailureStage, thrown: unknown): Omit<LastFailure, 'since'> {
    const message = this.hidden(reasonOf(causeIn(thrown)));
    return { stage: thrown instanceof StageError ? thrown.stage : stage, message, at: new Date().toISOString() };
  }
}

/** What failed, without the step it failed in. */
export const causeIn = (thrown: unknown): unknown => (thrown instanceof StageError ? thrown.cause : thrown);
