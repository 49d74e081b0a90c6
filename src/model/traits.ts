import type { ReasoningEffort } from './request.ts';

/**
 * What is known of a model that changes how a request for it must be written, or what may be told of it. What is not
 * known is absent: a request is then sent as it was asked for.
 */
export interface ModelTraits {
  /** Tokens of input and output together. */
  readonly contextWindow?: number;
  /** The most tokens that it gives. */
  readonly maxOutputTokens?: number;
  readonly tools?: boolean;
  readonly vision?: boolean;
  /** Whether its answers can be bound to a JSON Schema. */
  readonly structuredOutput?: boolean;
  /** True when it takes reasoning parameters, false when it refuses them. */
  readonly reasoning?: boolean;
  /** The efforts that it takes, least first; empty when it takes none by name. */
  readonly efforts?: readonly ReasoningEffort[];
  /** What it does when no effort is asked for. */
  readonly defaultEffort?: ReasoningEffort;
  /** The forms in which a Claude model is asked to think. */
  readonly thinking?: ThinkingForms;
  /** What it refuses of the parameters that steer sampling; absent = nothing. */
  readonly sampling?: SamplingRule | undefined;
  /** False when it refuses words at which to stop. */
  readonly stop?: false;
  /** What OpenAI's Responses API has of this model that its Chat Completions lack; absent = nothing. */
  readonly responsesApi?: ResponsesNeed;
}

/**
 * `only`: the model is not served as a chat at all. `for-tools`: a chat that offers tools may not ask it to reason.
 * `better`: its reasoning is lost between the turns of a chat.
 */
export type ResponsesNeed = 'only' | 'for-tools' | 'better';

export interface ThinkingForms {
  /** `budget_tokens`. */
  readonly budget: boolean;
  /** The model decides how long it thinks. */
  readonly adaptive: boolean;
  /** Whether it can be told not to think. */
  readonly canStop: boolean;
}

/** `never`: none but the neutral values. `unless-reasoning`: none while it reasons. `one-of`: temperature or top_p, not both. */
export type SamplingRule = 'never' | 'unless-reasoning' | 'one-of';
