import { isObject, type JsonObject } from '../../model/json.ts';
import type { OperationFormat } from '../../model/operation.ts';
import { dataOf, type GivenPicture, maskIn, PICTURE_FIELDS, picturesToEdit } from './given-pictures.ts';
import { inlineDataIn, partsIn, reasonIn } from './google-parts.ts';
import { openAiToCanvas, openAiToStability } from './image-bedrock.ts';
import { aspectRatioOf, drawn, KNOWN_OF_IMAGES, noPicture, noUrls, sizeOf } from './image-format.ts';
import { fromImagen } from './image-imagen.ts';
import { imagenEdit } from './image-imagen-edit.ts';
import { openAiToReplicate } from './image-replicate.ts';
import { countIfGiven, dropOthers, listOf, refuse, requiredText, type Translation } from './translation.ts';
import { usageFrom } from './usage.ts';

const KNOWN_OF_EDITS: ReadonlySet<string> = new Set([...KNOWN_OF_IMAGES, ...PICTURE_FIELDS]);

const inlinePicture = (picture: GivenPicture): JsonObject => {
  const { mediaType, base64 } = dataOf(picture, 'gemini');
  return { inlineData: { mimeType: mediaType, data: base64 } };
};

/** Gemini API, image generation: a prompt whose answer is a picture; pictures to be changed stand beside it. */
const openAiToGemini: Translation = {
  request({ kind, payload }, _model, ledger) {
    const { fields } = payload;
    dropOthers(fields, kind === 'image_edit' ? KNOWN_OF_EDITS : KNOWN_OF_IMAGES, ledger);
    noUrls(fields, ledger);
    if ((countIfGiven(fields, 'n') ?? 1) > 1)
      refuse('n', 'can be 1 only at gemini: its models draw one picture an answer');
    const pictures = kind === 'image_edit' ? picturesToEdit(payload).map(inlinePicture) : [];
    if (kind === 'image_edit' && maskIn(payload)) ledger.dropped('mask', 'the provider has no such field');
    const aspectRatio = aspectRatioOf(fields.size, ledger);
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
  request(request, _model, ledger) {
    if (request.kind === 'image_edit') return imagenEdit(request, ledger);
    const { fields } = request.payload;
    dropOthers(fields, KNOWN_OF_IMAGES, ledger);
    noUrls(fields, ledger);
    return {
      instances: [{ prompt: requiredText(fields, 'prompt') }],
      parameters: { sampleCount: countIfGiven(fields, 'n') ?? 1, aspectRatio: aspectRatioOf(fields.size, ledger) },
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

const KNOWN_TO_HUGGING_FACE: ReadonlySet<string> = new Set([
  ...KNOWN_OF_IMAGES,
  ...['negative_prompt', 'num_inference_steps', 'guidance_scale', 'seed'],
]);

/** Hugging Face inference, text to image: the answer is the picture itself. */
const openAiToHuggingFace: Translation = {
  request({ payload: { fields } }, _model, ledger) {
    dropOthers(fields, KNOWN_TO_HUGGING_FACE, ledger);
    noUrls(fields, ledger);
    if ((countIfGiven(fields, 'n') ?? 1) > 1) refuse('n', 'can be 1 only for this provider: an answer is one picture');
    const { negative_prompt, num_inference_steps, guidance_scale, seed } = fields;
    return {
      inputs: requiredText(fields, 'prompt'),
      parameters: { ...sizeOf(fields.size, ledger), negative_prompt, num_inference_steps, guidance_scale, seed },
    };
  },

  answer({ contentType, bytes, receivedAtMs }) {
    if (!contentType.startsWith('image/')) throw noPicture(`it answered with ${contentType}`);
    return drawn([{ b64_json: Buffer.from(bytes).toString('base64') }], receivedAtMs);
  },
};

const TARGETS: Readonly<Partial<Record<OperationFormat, Translation>>> = {
  gemini: openAiToGemini,
  imagen: openAiToImagen,
  replicate: openAiToReplicate,
  huggingface: openAiToHuggingFace,
  titan: openAiToCanvas,
  stability: openAiToStability,
};

export function imageTranslation(from: string, to: OperationFormat): Translation | undefined {
  if (from === 'openai') return TARGETS[to];
  if (from !== 'imagen' || to === 'replicate') return undefined;
  return to === 'openai' ? fromImagen(undefined) : TARGETS[to] && fromImagen(TARGETS[to]);
}
