import type { ErrorKind, GatewayError } from '../model/errors.ts';

// Coding agents react to errors about limits by their wording: they compact the conversation, or ask for less output.
// The vendors' wordings were recorded; what clients understand was measured with Claude Code 2.1 and Codex 0.169.

/** A conversation that has grown over the model's window; counts as far as the provider told them. */
export interface ContextOverflow {
  readonly used?: number;
  readonly most?: number;
}

const REFUSED: ReadonlySet<ErrorKind> = new Set(['invalid-request', 'too-large', 'bad-response']);

const CODES: ReadonlySet<string> = new Set([
  'context_length_exceeded',
  'too_many_prompt_tokens',
  'model_max_prompt_tokens_exceeded',
]);

/** With counts, in the order in which each vendor tells them. */
const COUNTED: readonly { readonly pattern: RegExp; readonly usedFirst: boolean }[] = [
  // Anthropic
  { pattern: /prompt is too long: (\d+) tokens > (\d+)/i, usedFirst: true },
  // Google
  {
    pattern: /input token count \(?(\d+)\)? exceeds the maximum number of tokens allowed \(?(\d+)\)?/i,
    usedFirst: true,
  },
  // OpenAI, DeepSeek, vLLM, Groq, OpenRouter
  {
    pattern:
      /maximum context length (?:is|of) (\d+) tokens.*?(?:requested|resulted in|contains|has)(?: about)? (\d+)/is,
    usedFirst: false,
  },
  // xAI
  { pattern: /maximum prompt length is (\d+) but the request contains (\d+)/i, usedFirst: false },
];

const UNCOUNTED =
  /maximum context length|context[_ ](?:length|window|limit|size)[_ ]?(?:is )?(?:exceeded|overflow)|exceed\w* (?:the |max(?:imum)? |model'?s? |available )*context|(?:prompt|input|messages?|request) (?:is |are )?too long|exceed context limit|too many (?:input |prompt )?tokens|reduce the length of (?:the |your )?(?:messages|prompt|input)/i;

/** What an error says of a context that is too long, in any vendor's words; undefined for every other error. */
export function contextOverflowIn({ kind, message, details }: GatewayError): ContextOverflow | undefined {
  if (!REFUSED.has(kind)) return undefined;
  for (const { pattern, usedFirst } of COUNTED) {
    const [, first, second] = pattern.exec(message) ?? [];
    if (first === undefined || second === undefined) continue;
    const [used, most] = (usedFirst ? [first, second] : [second, first]).map(Number);
    return { ...(used !== undefined && { used }), ...(most !== undefined && { most }) };
  }
  const said = CODES.has(details.code ?? '') || CODES.has(details.type ?? '') || UNCOUNTED.test(message);
  return said ? {} : undefined;
}

/** More output asked for than the model gives. */
export interface OutputExcess {
  readonly asked: string;
  readonly most: string;
}

const EXCESSES: readonly RegExp[] = [
  // Anthropic
  /max_tokens: (\d+) > (\d+), which is the maximum allowed number of output tokens/,
  // OpenAI
  /max_(?:completion_)?tokens is too large: (\d+)\. This model supports at most (\d+)/,
];

export function outputExcessIn(message: string): OutputExcess | undefined {
  for (const pattern of EXCESSES) {
    const [, asked, most] = pattern.exec(message) ?? [];
    if (asked !== undefined && most !== undefined) return { asked, most };
  }
  return undefined;
}
