import type { CallContext, Caller } from '../model/call.ts';
import type { Usage } from '../model/usage.ts';
import type { ModelCallRecord, ToolRunRecord, ToolRunStart } from './record.ts';

/** Who a virtual key belongs to. */
export interface KeyOwner {
  readonly id: string;
  readonly name: string;
}

/** Where records go, and what whoever makes them must know. No method waits or throws. */
export interface LogSink {
  /** False = what this caller says and is told is not even collected. */
  keepsContentsOf(caller: Caller): boolean;
  /** For each side of a call. */
  readonly maxContentBytes: number;
  costOf(provider: string, model: string, usage: Usage, context: CallContext): number | undefined;
  ownerOf(caller: Caller): KeyOwner | undefined;
  recordCall(record: ModelCallRecord): void;
  /** Whoever looks meanwhile finds the run; it ends with the record of the same id. */
  beginToolRun(start: ToolRunStart): void;
  recordToolRun(record: ToolRunRecord): void;
}
