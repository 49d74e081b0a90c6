/** What a script may use. Times are without the wait for somebody's leave. */
export interface ScriptLimits {
  /** From the start to the end. */
  readonly wallMs: number;
  /** Of computing. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly stackBytes: number;
  /** Characters printed, and characters of the return value. */
  readonly outputLength: number;
  readonly codeLength: number;
  /** Characters of one call's arguments, and of one call's result. */
  readonly inputLength: number;
  readonly resultLength: number;
  readonly maxCalls: number;
  readonly maxParallelCalls: number;
}

/** A server's global object: its names, and for each function its names and the exposed name of its tool. */
export interface ServerBinding {
  readonly names: readonly string[];
  readonly functions: readonly (readonly [names: readonly string[], tool: string])[];
}

export type ToSandbox =
  | {
      readonly type: 'start';
      readonly code: string;
      readonly servers: readonly ServerBinding[];
      readonly limits: ScriptLimits;
    }
  /** `value` is JSON text. */
  | { readonly type: 'call-done'; readonly number: number; readonly value: string }
  | { readonly type: 'call-failed'; readonly number: number; readonly message: string };

export type ScriptErrorKind = 'syntax' | 'runtime';

export type FromSandbox =
  /** The engine is loaded, and the script's own time begins. */
  | { readonly type: 'started' }
  | { readonly type: 'printed'; readonly line: string }
  /** `input` is JSON text as the script made it. */
  | { readonly type: 'call'; readonly number: number; readonly tool: string; readonly input: string }
  /** Nothing is left to compute until a call is answered; `answered`: how many answers have been taken in. */
  | { readonly type: 'idle'; readonly answered: number }
  /** `value`: indented JSON; absent when nothing was returned. */
  | { readonly type: 'done'; readonly value?: string }
  | { readonly type: 'failed'; readonly kind: ScriptErrorKind; readonly message: string };
