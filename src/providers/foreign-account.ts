import { AnswerAccount } from '../codecs/foreign-answer.ts';
import type { CallContext } from '../model/call.ts';
import type { CodecId } from '../model/content.ts';
import type { StreamEvent } from '../model/event.ts';

/** Enters what a translated answer loses into the ledger of its call, once the answer is over. */
export class ForeignAccount {
  readonly #account: AnswerAccount;
  readonly #losses: CallContext['trace']['losses'];

  /** Undefined for a client of the provider's own format, to whom nothing is lost. */
  static of(codec: CodecId, { dialect, trace }: CallContext, isStreamed: boolean): ForeignAccount | undefined {
    return codec === dialect ? undefined : new ForeignAccount(dialect, trace.losses, isStreamed);
  }

  constructor(client: CodecId, losses: CallContext['trace']['losses'], isStreamed: boolean) {
    this.#account = new AnswerAccount(client, isStreamed);
    this.#losses = losses;
  }

  see(event: StreamEvent): void {
    this.#account.see(event);
    if (event.type === 'response-end') this.#losses.push(...this.#account.losses);
  }
}
