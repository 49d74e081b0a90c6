import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { OperationFormat } from '../../model/operation.ts';
import type { Usage } from '../../model/usage.ts';
import type { Ledger } from '../ledger.ts';
import { inlineDataIn, inlinePart, partsIn, reasonIn } from './google-parts.ts';
import {
  type ClientAnswer,
  dropOthers,
  listOf,
  numberOrNothing,
  refuse,
  requiredText,
  type Translation,
  textOrNothing,
} from './translation.ts';
import { usageFrom } from './usage.ts';

const KNOWN: ReadonlySet<string> = new Set([
  'model',
  'fallbacks',
  'prompt',
  'n',
  'size',
  'response_format',
  'user',
  'stream',
]);

/** Gemini API, image generation: a prompt whose answer is a picture; pictures to be changed stand beside it. */
const openAiToGemini: Translation = {
  request({ payload: { fields, files } }, _model, ledger) {
    dropOthers(fields, KNOWN, ledger);
    noUrls(fields, ledger);
    if ((numberOrNothing(fields.n) ?? 1) > 1)
      refuse('n', 'can be 1 only at gemini: its models draw one picture an answer');
    if (files.some(({ field }) => field === 'mask')) ledger.dropped('mask', 'the provider has no such field');
    const pictures = files
      .filter(({ field }) => field === 'image')
      .map(({ mediaType, bytes }) => inlinePart(mediaType, bytes));
    const aspectRatio = aspectRatioOf(fields.size);
    return {
      contents: [{ role: 'user', parts: [{ text: requiredText(fields, 'prompt') }, ...pictures] }],
      generationConfig: {
        responseModalities: ['TEXT', 'IMAGE'],
        ...(aspectRatio && { imageConfig: { aspectRatio } }),
      },
    };
  },

  answer({ body, receivedAtMs }) {
    const pictures = inlineDataIn(body).map(({ base64 }) => ({ b64_json: base64 }));
    const said = partsIn(body).flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
    if (pictures.length === 0) throw noPicture(said.join(' ') || reasonIn(body));
    return drawn(pictures, receivedAtMs, usageFrom(body.usageMetadata));
  },
};

/** Gemini API, Imagen (`models.predict`). */
const openAiToImagen: Translation = {
  request({ payload: { fields } }, _model, ledger) {
    dropOthers(fields, KNOWN, ledger);
    noUrls(fields, ledger);
    return {
      instances: [{ prompt: requiredText(fields, 'prompt') }],
      parameters: { sampleCount: numberOrNothing(fields.n) ?? 1, aspectRatio: aspectRatioOf(fields.size) },
    };
  },

  answer({ body, receivedAtMs }) {
    const pictures = listOf(body.predictions)
      .filter(isObject)
      .flatMap(({ bytesBase64Encoded: data }) => (typeof data === 'string' ? [{ b64_json: data }] : []));
    const [first] = listOf(body.predictions);
    if (pictures.length === 0)
      throw noPicture(String((isObject(first) && first.raiFilteredReason) || 'no reason given'));
    return drawn(pictures, receivedAtMs);
  },
};

/** Replicate HTTP API, predictions: what a model takes is its own affair, so all other fields are its input. */
const openAiToReplicate: Translation = {
  request({ payload: { fields } }, _model, ledger) {
    const { model: _name, fallbacks: _fallbacks, n, size, response_format, stream: _stream, ...input } = fields;
    requiredText(fields, 'prompt');
    if (response_format === 'b64_json') ledger.dropped('response_format', 'the provider gives addresses of pictures');
    const aspectRatio = aspectRatioOf(size);
    return {
      input: {
        ...input,
        ...(n !== undefined && { num_outputs: n }),
        ...(aspectRatio && { aspect_ratio: aspectRatio }),
      },
    };
  },

  answer({ body, receivedAtMs }) {
    const addresses = Array.isArray(body.output) ? body.output : [body.output];
    const pictures = addresses.flatMap((url) => (typeof url === 'string' ? [{ url }] : []));
    if (pictures.length === 0) throw noPicture(textOrNothing(body.error) ?? `the prediction is ${String(body.status)}`);
    return drawn(pictures, receivedAtMs);
  },
};

const noPicture = (why: string): GatewayError =>
  new GatewayError('bad-response', `the provider gave no picture: ${why}`);

const drawn = (data: JsonObject[], receivedAtMs: number, usage?: Usage): ClientAnswer => ({
  body: {
    created: Math.floor(receivedAtMs / 1_000),
    data,
    ...(usage && {
      usage: { input_tokens: usage.input, output_tokens: usage.output, total_tokens: usage.input + usage.output },
    }),
  },
  usage,
});

/** Google gives the picture itself, never an address. */
function noUrls({ response_format: format }: JsonObject, ledger: Ledger): void {
  if (format === 'url') ledger.dropped('response_format', 'the provider gives pictures, not their addresses');
}

/** Ratios that both of Google's image APIs know. */
const RATIOS = ['1:1', '3:4', '4:3', '9:16', '16:9'] as const;

/** The ratio nearest to a size such as `1536x1024`. */
function aspectRatioOf(size: JsonValue | undefined): string | undefined {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(String(size ?? '')) ?? [];
  if (width === undefined || height === undefined) return undefined;
  const wanted = Math.log(Number(width) / Number(height));
  const distance = (ratio: string): number => {
    const [across = 1, down = 1] = ratio.split(':').map(Number);
    return Math.abs(Math.log(across / down) - wanted);
  };
  return RATIOS.reduce((best, next) => (distance(next) < distance(best) ? next : best));
}

const TARGETS: Readonly<Partial<Record<OperationFormat, Translation>>> = {
  gemini: openAiToGemini,
  imagen: openAiToImagen,
  replicate: openAiToReplicate,
};

export const imageTranslation = (from: string, to: OperationFormat): Translation | undefined =>
  from === 'openai' ? TARGETS[to] : undefined;
