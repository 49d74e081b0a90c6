import { isObject, type JsonObject, type JsonValue, ownValue } from '../../model/json.ts';
import type { OperationRequest } from '../../model/operation.ts';
import type { Ledger } from '../ledger.ts';
import { listOf, numberOrNothing, refuse, requiredText, type Translation, textOrNothing } from './translation.ts';

const KNOWN: ReadonlySet<string> = new Set(['sampleCount', 'aspectRatio']);

/** OpenAI's sizes for Google's ratios (OpenAI API reference, images: `size` of gpt-image-1). */
const SIZES: Readonly<Record<string, string>> = {
  '1:1': '1024x1024',
  '3:4': '1024x1536',
  '9:16': '1024x1536',
  '4:3': '1536x1024',
  '16:9': '1536x1024',
};

/**
 * A client of Imagen's `predict` at a provider of anything else: asked as a client of OpenAI's would be, by
 * `translation`, or as it is where the provider speaks that.
 */
export const fromImagen = (translation: Translation | undefined): Translation => ({
  request(request, model, ledger) {
    const asked = inOpenAiFormat(request, ledger);
    if (translation) return translation.request(asked, model, ledger);
    // the first models give addresses unless they are told; the later ones refuse to be
    return { model, ...asked.payload.fields, ...(/^dall-e/.test(model) && { response_format: 'b64_json' }) };
  },

  answer(answer, request, others) {
    const told = translation?.answer?.(answer, request, others) ?? { body: answer.body };
    const data = 'body' in told ? listOf(told.body.data) : [];
    return { body: { predictions: data.map(predictionOf) }, usage: told.usage };
  },
});

function inOpenAiFormat(request: OperationRequest, ledger: Ledger): OperationRequest {
  const { fields } = request.payload;
  const [instance] = listOf(fields.instances);
  if (!isObject(instance)) return refuse('instances', 'is required: [{"prompt": text}]');
  const parameters = isObject(fields.parameters) ? fields.parameters : {};
  for (const name of Object.keys(parameters)) {
    if (!KNOWN.has(name)) ledger.dropped(`parameters.${name}`, 'the provider has no such field');
  }
  for (const name of Object.keys(instance)) {
    if (name !== 'prompt') ledger.dropped(`instances.${name}`, 'the provider has no such field');
  }
  const n = numberOrNothing(parameters.sampleCount);
  const ratio = textOrNothing(parameters.aspectRatio);
  const size = ownValue(SIZES, ratio ?? '');
  if (ratio && !size) ledger.dropped('parameters.aspectRatio', 'no size is known for it');
  if (size) ledger.rewritten('parameters.aspectRatio', `the provider is told a size: ${size}`);
  const asked: JsonObject = { prompt: requiredText(instance, 'prompt'), ...(n && { n }), ...(size && { size }) };
  return { ...request, format: 'openai', payload: { ...request.payload, fields: asked, files: [] } };
}

const predictionOf = (picture: JsonValue): JsonObject => ({
  mimeType: 'image/png',
  bytesBase64Encoded: isObject(picture) ? (picture.b64_json ?? '') : '',
});
