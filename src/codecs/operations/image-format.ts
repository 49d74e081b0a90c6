import { GatewayError } from '../../model/errors.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { Usage } from '../../model/usage.ts';
import type { Ledger } from '../ledger.ts';
import { type ClientAnswer, refuse, textIfGiven } from './translation.ts';

/** What of OpenAI's request for pictures every provider is told, or need not be told. */
export const KNOWN_OF_IMAGES: ReadonlySet<string> = new Set([
  ...['model', 'fallbacks', 'prompt', 'n', 'size', 'response_format', 'stream'],
]);

export const noPicture = (why: string): GatewayError =>
  new GatewayError('bad-response', `the provider gave no picture: ${why}`);

/** Pictures in OpenAI's words. */
export const drawn = (data: JsonObject[], receivedAtMs: number, usage?: Usage): ClientAnswer => ({
  body: {
    created: Math.floor(receivedAtMs / 1_000),
    data,
    ...(usage && {
      usage: { input_tokens: usage.input, output_tokens: usage.output, total_tokens: usage.input + usage.output },
    }),
  },
  usage,
});

/** Providers that give the picture itself, never an address. */
export function noUrls(fields: JsonObject, ledger: Ledger): void {
  const format = textIfGiven(fields, 'response_format') ?? 'b64_json';
  if (format !== 'url' && format !== 'b64_json') refuse('response_format', 'can be b64_json for this provider');
  if (format === 'url') ledger.dropped('response_format', 'the provider gives pictures, not their addresses');
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A size such as `1536x1024`; undefined for `auto`, which leaves it to the model, and for what is none. */
export function sizeOf(given: JsonValue | undefined, ledger: Ledger): Size | undefined {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(String(given ?? '')) ?? [];
  const size = { width: Number(width), height: Number(height) };
  if (size.width > 0 && size.height > 0) return size;
  if (given !== undefined && given !== null && given !== '' && given !== 'auto')
    ledger.dropped('size', 'no size such as 1024x1024');
  return undefined;
}

/** Ratios that both of Google's image APIs know. */
const RATIOS = ['1:1', '3:4', '4:3', '9:16', '16:9'] as const;
/** Bedrock user guide, Stability AI models: `aspect_ratio`. */
const STABILITY_RATIOS = ['1:1', '2:3', '3:2', '4:5', '5:4', '9:16', '16:9', '9:21', '21:9'] as const;

/** The ratio nearest to a size. */
export const aspectRatioOf = (size: JsonValue | undefined, ledger: Ledger): string | undefined =>
  nearest(size, RATIOS, ledger);

export const stabilityRatioOf = (size: JsonValue | undefined, ledger: Ledger): string | undefined =>
  nearest(size, STABILITY_RATIOS, ledger);

function nearest(given: JsonValue | undefined, ratios: readonly string[], ledger: Ledger): string | undefined {
  const size = sizeOf(given, ledger);
  if (!size) return undefined;
  const wanted = Math.log(size.width / size.height);
  const distance = (ratio: string): number => {
    const [across = 1, down = 1] = ratio.split(':').map(Number);
    return Math.abs(Math.log(across / down) - wanted);
  };
  const ratio = ratios.reduce((best, next) => (distance(next) < distance(best) ? next : best));
  ledger.rewritten('size', `the provider is told a ratio: ${ratio}`);
  return ratio;
}
