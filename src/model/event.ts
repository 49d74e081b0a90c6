import type { CodecId, Origin, Part } from './content.ts';
import type { Usage } from './usage.ts';

/** Why a response ended: ours to decide on. `raw` keeps the provider's word, theirs to show. */
export interface FinishReason {
  readonly kind:
    | 'stop'
    | 'stop-sequence'
    | 'length'
    | 'tool-calls'
    | 'refusal'
    | 'pause'
    | 'context-exceeded'
    | 'other';
  readonly raw?: { readonly codec: CodecId; readonly word: string };
  readonly stopSequence?: string;
}

/**
 * A response as it grows. One `response-start`, then parts: each starts, grows by deltas and ends under one `index`,
 * and starts and ends pair; then exactly one `response-end`. `part-start` carries the part empty, or whole when the
 * wire gave it whole. `part-end.origin` is the finished wire block (signature, citations) where the format has one.
 */
export type StreamEvent =
  | {
      readonly type: 'response-start';
      readonly id: string;
      readonly model: string;
      /** Token counts known before the first token (Anthropic's message_start). */
      readonly usage?: Usage;
      readonly origin?: Origin;
    }
  | { readonly type: 'part-start'; readonly index: number; readonly part: Part }
  | { readonly type: 'part-delta'; readonly index: number; readonly delta: string }
  | { readonly type: 'part-end'; readonly index: number; readonly origin?: Origin }
  | { readonly type: 'response-end'; readonly reason: FinishReason; readonly usage: Usage; readonly origin?: Origin };

/**
 * What one upstream read meant, beside its wire bytes. `raw` is present only when the client speaks the same format
 * and nothing of ours is inside: then the bytes travel as they are, and `events` holds no more than the final
 * `response-end` (cut from the tail). Otherwise `events` says everything.
 */
export interface Frame extends AnswerPiece {
  readonly raw?: { readonly codec: CodecId; readonly bytes: Uint8Array };
  readonly events: readonly StreamEvent[];
}

/** One piece of an answer of any kind. */
export interface AnswerPiece {
  /** Nothing follows, and all that the answer held is let go of: whoever reads need not ask again. */
  readonly isLast?: true;
}
