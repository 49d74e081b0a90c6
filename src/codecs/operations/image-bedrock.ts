import { type JsonObject, ownValue } from '../../model/json.ts';
import type { Payload } from '../../model/operation.ts';
import type { Ledger } from '../ledger.ts';
import { dataOf, type GivenPicture, maskInColours, PICTURE_FIELDS, picturesToEdit } from './given-pictures.ts';
import { drawn, KNOWN_OF_IMAGES, noPicture, noUrls, sizeOf, stabilityRatioOf } from './image-format.ts';
import {
  countIfGiven,
  dropOthers,
  listOf,
  numberOrNothing,
  type ProviderAnswer,
  refuse,
  requiredText,
  type Translation,
  textOrNothing,
} from './translation.ts';

const KNOWN: ReadonlySet<string> = new Set([...KNOWN_OF_IMAGES, 'quality', 'seed', 'negative_prompt']);

const KNOWN_OF_EDITS: ReadonlySet<string> = new Set([...KNOWN, ...PICTURE_FIELDS]);

/** OpenAI's words for quality in Amazon's. */
const QUALITIES: Readonly<Record<string, string>> = { high: 'premium', hd: 'premium', standard: 'standard' };

/** Amazon Nova Canvas and Titan Image Generator (Amazon Nova user guide, image generation). */
export const openAiToCanvas: Translation = {
  request({ kind, payload }, _model, ledger) {
    const { fields } = payload;
    dropOthers(fields, kind === 'image_edit' ? KNOWN_OF_EDITS : KNOWN, ledger);
    noUrls(fields, ledger);
    const text = requiredText(fields, 'prompt');
    const negativeText = textOrNothing(fields.negative_prompt);
    const said = { text, ...(negativeText && { negativeText }) };
    const quality = ownValue(QUALITIES, String(fields.quality));
    if (fields.quality !== undefined && !quality) ledger.dropped('quality', 'the provider knows standard and premium');
    else if (quality !== fields.quality) ledger.rewritten('quality', `${quality} in the provider's words`);
    return {
      ...(kind === 'image_edit'
        ? editTask(payload, said, ledger)
        : { taskType: 'TEXT_IMAGE', textToImageParams: said }),
      imageGenerationConfig: {
        numberOfImages: countIfGiven(fields, 'n') ?? 1,
        ...sizeOf(fields.size, ledger),
        ...(quality && { quality }),
        seed: numberOrNothing(fields.seed),
      },
    };
  },
  answer: (answer) => picturesIn(answer, answer.body.error),
};

/** With a mask its part is painted anew, without one the pictures are varied. */
function editTask(payload: Payload, said: JsonObject, ledger: Ledger): JsonObject {
  const images = picturesToEdit(payload).map(base64Of);
  const [image] = images;
  if (image === undefined) return refuse('image', 'is required: a picture to change');
  // Amazon Nova user guide, inpainting: black is what is changed, and nothing may be transparent
  const mask = maskInColours(payload, 'black', ledger);
  if (!mask) return { taskType: 'IMAGE_VARIATION', imageVariationParams: { ...said, images } };
  return { taskType: 'INPAINTING', inPaintingParams: { ...said, image, maskImage: base64Of(mask) } };
}

/** Stability AI's models on Bedrock (Bedrock user guide). */
export const openAiToStability: Translation = {
  request({ payload: { fields } }, _model, ledger) {
    dropOthers(fields, KNOWN, ledger);
    noUrls(fields, ledger);
    if (fields.quality !== undefined) ledger.dropped('quality', 'the provider has no such field');
    if ((countIfGiven(fields, 'n') ?? 1) > 1) refuse('n', 'can be 1 only for this model: an answer is one picture');
    return {
      prompt: requiredText(fields, 'prompt'),
      negative_prompt: textOrNothing(fields.negative_prompt),
      aspect_ratio: stabilityRatioOf(fields.size, ledger),
      seed: numberOrNothing(fields.seed),
      output_format: 'png',
    };
  },
  answer: (answer) =>
    picturesIn(
      answer,
      listOf(answer.body.finish_reasons).find((reason) => reason !== null),
    ),
};

function picturesIn({ body, receivedAtMs }: ProviderAnswer, why: unknown) {
  const pictures = listOf(body.images).flatMap((data) => (typeof data === 'string' ? [{ b64_json: data }] : []));
  if (pictures.length === 0) throw noPicture(String(why ?? 'no reason given'));
  return drawn(pictures, receivedAtMs);
}

const base64Of = (picture: GivenPicture): string => dataOf(picture, 'bedrock').base64;
