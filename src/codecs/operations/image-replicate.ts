import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { Payload } from '../../model/operation.ts';
import type { Ledger } from '../ledger.ts';
import {
  type GivenPicture,
  maskIn,
  maskInColours,
  PICTURE_FIELDS,
  picturesToEdit,
  urlOfPicture,
} from './given-pictures.ts';
import { aspectRatioOf, drawn, noPicture } from './image-format.ts';
import { countIfGiven, listOf, refuse, requiredText, type Translation, textOrNothing } from './translation.ts';

/** Where a model's own schema wants pictures (Replicate, the models' API pages). */
const INPUTS: readonly (readonly [model: RegExp, field: string, takes: 'one' | 'several'])[] = [
  [/flux-kontext/, 'input_image', 'one'],
  [/flux-(?:1\.1-)?pro/, 'image_prompt', 'one'],
  [/nano-banana|seedream/, 'image_input', 'several'],
  [/qwen-image-edit-plus/, 'image', 'several'],
  [/flux-(?:dev|fill|krea)|qwen-image|ideogram|seededit|stable-diffusion|sdxl/, 'image', 'one'],
];

/** A version of a model, by itself or behind the model's name; such a prediction is asked for at another path. */
export const replicateVersionOf = (model: string): string | undefined => /(?:^|:)([0-9a-f]{64})$/.exec(model)?.[1];

/** Replicate HTTP API, predictions: what a model takes is its own affair, so all other fields are its input. */
export const openAiToReplicate: Translation = {
  request({ kind, payload }, modelName, ledger) {
    const {
      model: _name,
      fallbacks: _fallbacks,
      n: _n,
      size,
      response_format,
      stream: _stream,
      partial_images,
      ...others
    } = payload.fields;
    requiredText(payload.fields, 'prompt');
    if (response_format === 'b64_json') ledger.dropped('response_format', 'the provider gives addresses of pictures');
    if (partial_images !== undefined) ledger.dropped('partial_images', 'the provider gives whole pictures only');
    const aspectRatio = aspectRatioOf(size, ledger);
    const count = countIfGiven(payload.fields, 'n');
    const input = {
      ...(kind === 'image_edit' ? withPictures(others, payload, modelName, ledger) : others),
      ...(count !== undefined && { num_outputs: count }),
      ...(aspectRatio && { aspect_ratio: aspectRatio }),
    };
    const version = replicateVersionOf(modelName);
    return version === undefined ? { input } : { version, input };
  },

  answer({ body, receivedAtMs }) {
    const pictures = (Array.isArray(body.output) ? body.output : [body.output]).flatMap(pictureAt);
    if (pictures.length === 0) throw noPicture(textOrNothing(body.error) ?? `the prediction is ${String(body.status)}`);
    return drawn(pictures, receivedAtMs);
  },

  /** A prediction that takes longer than the provider holds an answer back. */
  pendingAt({ body }) {
    const isUnderWay = body.status === 'starting' || body.status === 'processing';
    const isEmpty = listOf(body.output).length === 0 && typeof body.output !== 'string';
    if (!isUnderWay || !isEmpty || typeof body.id !== 'string') return undefined;
    return `/v1/predictions/${encodeURIComponent(body.id)}`;
  },
};

function withPictures(fields: JsonObject, payload: Payload, model: string, ledger: Ledger): JsonObject {
  const said = Object.entries(fields).filter(([name]) => !PICTURE_FIELDS.some((field) => field === name));
  const isForm = !payload.contentType.includes('json');
  const urls = picturesToEdit(payload).map(urlOfPicture);
  if (urls.length === 0) return refuse('image', 'is required: a picture to change');
  const [, field, takes] = INPUTS.find(([pattern]) => pattern.test(model.toLowerCase())) ?? DEFAULT_INPUT;
  if (takes === 'one' && urls.length > 1) ledger.dropped('image', 'the model takes one picture only: the first');
  const mask = maskOf(payload, model, ledger);
  return {
    ...Object.fromEntries(isForm ? said.map(([name, value]) => [name, unquoted(name, value)]) : said),
    [field]: takes === 'one' ? urls[0] : urls,
    ...(mask && { mask: urlOfPicture(mask) }),
  };
}

/** OpenAI's own models take its masks; of the others only Ideogram's change what is black (Replicate, the models' API pages). */
function maskOf(payload: Payload, model: string, ledger: Ledger): GivenPicture | undefined {
  if (/^openai\//.test(model)) return maskIn(payload);
  return maskInColours(payload, /ideogram/i.test(model) ? 'black' : 'white', ledger);
}

/** A form has texts only, and models tell numbers from them. */
function unquoted(name: string, value: JsonValue | undefined): JsonValue | undefined {
  if (name === 'prompt' || typeof value !== 'string') return value;
  return /^(?:true|false|-?\d+(?:\.\d+)?)$/.test(value) ? (JSON.parse(value) as JsonValue) : value;
}

/** Of models that nobody knows; the original's choice. */
const DEFAULT_INPUT = [/./, 'input_images', 'several'] as const;

function pictureAt(value: JsonValue | undefined): JsonObject[] {
  if (typeof value !== 'string') return [];
  const base64 = /^data:[^,]*;base64,(.*)$/s.exec(value)?.[1];
  return [base64 === undefined ? { url: value } : { b64_json: base64 }];
}
