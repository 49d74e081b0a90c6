import { type JsonObject, ownValue } from '../../model/json.ts';
import type { OperationRequest } from '../../model/operation.ts';
import type { Ledger } from '../ledger.ts';
import { dataOf, maskInColours, PICTURE_FIELDS, picturesToEdit } from './given-pictures.ts';
import { KNOWN_OF_IMAGES, noUrls } from './image-format.ts';
import { countIfGiven, dropOthers, numberOrNothing, refuse, requiredText, textOrNothing } from './translation.ts';

/** Settings of Vertex's own that a client may give; of a form they are texts. */
const NUMBERS = ['seed', 'guidanceScale', 'baseSteps'] as const;
const TEXTS = ['personGeneration', 'language', 'safetySetting', 'storageUri'] as const;

const KNOWN: ReadonlySet<string> = new Set([
  ...KNOWN_OF_IMAGES,
  ...PICTURE_FIELDS,
  ...NUMBERS,
  ...TEXTS,
  ...['negative_prompt', 'output_format', 'output_compression', 'type', 'editMode', 'maskMode', 'dilation'],
]);

/** The original's words for what is to be done, and Vertex's. */
const EDIT_MODES: Readonly<Record<string, string>> = {
  inpainting: 'EDIT_MODE_INPAINT_INSERTION',
  inpaint_removal: 'EDIT_MODE_INPAINT_REMOVAL',
  outpainting: 'EDIT_MODE_OUTPAINT',
  bgswap: 'EDIT_MODE_BGSWAP',
};

/** An edit by Imagen (Vertex AI, Imagen API, edit images): the picture and its mask are reference images of one instance. */
export function imagenEdit({ payload }: OperationRequest, ledger: Ledger): JsonObject {
  const { fields } = payload;
  dropOthers(fields, KNOWN, ledger);
  noUrls(fields, ledger);
  if (fields.size !== undefined) ledger.dropped('size', 'an edited picture has the size of the one that was given');
  const mask = maskReference(payload, ledger);
  return {
    instances: [
      { prompt: requiredText(fields, 'prompt'), referenceImages: [pictureReference(payload), ...(mask ? [mask] : [])] },
    ],
    parameters: {
      sampleCount: countIfGiven(fields, 'n') ?? 1,
      editMode: editModeOf(fields, mask !== undefined, ledger),
      negativePrompt: textOrNothing(fields.negative_prompt),
      ...Object.fromEntries(NUMBERS.map((name) => [name, numberOrNothing(fields[name])])),
      ...Object.fromEntries(TEXTS.map((name) => [name, textOrNothing(fields[name])])),
      outputOptions: outputOptionsOf(fields),
    },
  };
}

function pictureReference(payload: OperationRequest['payload']): JsonObject {
  const [picture, ...others] = picturesToEdit(payload);
  if (!picture) return refuse('image', 'is required: a picture to change');
  if (others.length > 0) {
    // Vertex AI, Imagen API, customize images: at most one raw reference image in a request
    return refuse(
      'image',
      'can be one only: Imagen changes one picture a request; gemini-2.5-flash-image takes several',
    );
  }
  const { base64 } = dataOf(picture, 'Imagen');
  return { referenceType: 'REFERENCE_TYPE_RAW', referenceId: 1, referenceImage: { bytesBase64Encoded: base64 } };
}

/** The client's mask, or one that Imagen is to make by itself (`maskMode`). */
function maskReference(payload: OperationRequest['payload'], ledger: Ledger): JsonObject | undefined {
  // Vertex AI, Imagen API: what is not black is changed
  const mask = maskInColours(payload, 'white', ledger);
  const maskMode = textOrNothing(payload.fields.maskMode) ?? (mask && 'MASK_MODE_USER_PROVIDED');
  if (maskMode === undefined) return undefined;
  return {
    referenceType: 'REFERENCE_TYPE_MASK',
    referenceId: 2,
    ...(mask && { referenceImage: { bytesBase64Encoded: dataOf(mask, 'Imagen').base64 } }),
    maskImageConfig: { maskMode, dilation: numberOrNothing(payload.fields.dilation) },
  };
}

function editModeOf({ type, editMode }: JsonObject, isMasked: boolean, ledger: Ledger): string {
  const named = ownValue(EDIT_MODES, String(type ?? ''));
  if (type !== undefined && !named) ledger.dropped('type', `can be ${Object.keys(EDIT_MODES).join(', ')}`);
  return named ?? textOrNothing(editMode) ?? (isMasked ? 'EDIT_MODE_INPAINT_INSERTION' : 'EDIT_MODE_DEFAULT');
}

function outputOptionsOf({ output_format, output_compression }: JsonObject): JsonObject | undefined {
  const format = textOrNothing(output_format);
  const compressionQuality = numberOrNothing(output_compression);
  if (format === undefined && compressionQuality === undefined) return undefined;
  return { ...(format !== undefined && { mimeType: `image/${format.replace(/^jpg$/, 'jpeg')}` }), compressionQuality };
}
