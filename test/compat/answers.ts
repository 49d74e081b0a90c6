/** A client format that the recordings are read in. */
export type Format = 'anthropic-messages' | 'openai-chat' | 'openai-responses' | 'gemini';

/** A format that they are read in beside; nobody recorded answers in it. */
export type ReadFormat = Format | 'bedrock-converse';

/** What a client holds in its hands after a call, in words that all formats share. */
export interface Answer {
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  readonly calls: readonly Call[];
  /** The format's own word. */
  readonly finish: string;
  readonly usage: Counts;
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
}

/** Inclusive counts; absent where the format has no place for them. */
export interface Counts {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly reasoning?: number;
}

/** A call that the SDK ended with an error; no status when it came inside a stream. */
export interface Failure {
  readonly failed: true;
  readonly status: number | undefined;
  readonly message: string;
}

export const isFailure = (outcome: Answer | Failure): outcome is Failure => 'failed' in outcome;

/** The arguments of a call; as text where the answer was cut inside of them. */
export function parsedInput(text: string): unknown {
  try {
    return JSON.parse(text || '{}');
  } catch {
    return text;
  }
}
