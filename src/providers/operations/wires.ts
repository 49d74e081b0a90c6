import { replicateVersionOf } from '../../codecs/operations/image-replicate.ts';
import { elevenLabsFormat } from '../../codecs/operations/speech.ts';
import { requiredText, textIfGiven } from '../../codecs/operations/translation.ts';
import type { OperationKind, StoredKind } from '../../model/operation.ts';
import { googleModelPath } from '../base-url.ts';
import type { OperationTable, OperationWire } from '../provider.ts';

/** Operations with a path of their own; the others go where the client's own path says. */
type PlainKind = Exclude<OperationKind, StoredKind | 'passthrough'>;

/** Below the base URL of every server that has OpenAI's API (OpenAI API reference; `/rerank` is vLLM's and Jina's). */
const OPENAI_PATHS: Readonly<Record<PlainKind, string>> = {
  text_completion: '/completions',
  embedding: '/embeddings',
  image_generation: '/images/generations',
  image_edit: '/images/edits',
  image_variation: '/images/variations',
  speech: '/audio/speech',
  transcription: '/audio/transcriptions',
  translation: '/audio/translations',
  rerank: '/rerank',
  responses_compact: '/responses/compact',
};

/** Operations in OpenAI's own format, at OpenAI's paths. */
export const openAiOperations = (...kinds: readonly PlainKind[]): OperationTable =>
  Object.fromEntries(kinds.map((kind) => [kind, [{ format: 'openai', path: () => OPENAI_PATHS[kind] }]]));

/** Operations on what the provider keeps, at the client's own path below the base URL. */
const storedOperations = (...kinds: readonly StoredKind[]): OperationTable =>
  Object.fromEntries(
    kinds.map((kind) => [kind, [{ format: 'openai', path: (_model, { forwarded }) => forwarded?.path ?? '' }]]),
  );

/** Everything that OpenAI itself can do beside chats. */
export const allOpenAiOperations: OperationTable = {
  ...storedOperations(
    'responses_retrieve',
    'responses_delete',
    'responses_cancel',
    'responses_input_items',
    'file_upload',
    'file_list',
    'file_retrieve',
    'file_delete',
    'file_content',
    'batch_create',
    'batch_list',
    'batch_retrieve',
    'batch_cancel',
  ),
  ...openAiOperations(
    'text_completion',
    'embedding',
    'image_generation',
    'image_edit',
    'image_variation',
    'speech',
    'transcription',
    'translation',
    'responses_compact',
  ),
};

const gemini = (format: OperationWire['format'], verb: string): OperationWire => ({
  format,
  path: (model) => `${googleModelPath(model)}:${verb}`,
});

/** Hugging Face's own inference, as models of a task; what of a name says so may stand in front of it. */
const huggingFace = (task: string): OperationWire => ({
  format: 'huggingface',
  path: (model) =>
    `/hf-inference/models/${model
      .replace(/^hf-inference\//, '')
      .split('/')
      .map(encodeURIComponent)
      .join('/')}${task}`,
  atRoot: true,
});

/** Hugging Face, inference providers: feature extraction, text to image, text to speech, automatic speech recognition. */
export const huggingFaceOperations: OperationTable = {
  embedding: [huggingFace('/pipeline/feature-extraction')],
  image_generation: [huggingFace('')],
  speech: [huggingFace('/pipeline/text-to-speech')],
  transcription: [huggingFace('')],
};

export const isImagen = (model: string): boolean => /(?:^|\/)imagen-/.test(model);

/** Gemini API: `models.embedContent`, `models.batchEmbedContents`, `models.predict`; the rest are prompts of their own kind. */
export const geminiOperations: OperationTable = {
  embedding: [gemini('gemini-batch', 'batchEmbedContents'), gemini('gemini', 'embedContent')],
  image_generation: [
    { ...gemini('imagen', 'predict'), serves: isImagen },
    { ...gemini('gemini', 'generateContent'), serves: (model) => !isImagen(model) },
  ],
  // Imagen edits at Vertex alone
  image_edit: [{ ...gemini('gemini', 'generateContent'), serves: (model) => !isImagen(model) }],
  speech: [gemini('gemini', 'generateContent')],
  transcription: [gemini('gemini', 'generateContent')],
  translation: [gemini('gemini', 'generateContent')],
};

/** Cohere API v2; at the root, because the base URL of its chats may be that of its OpenAI-compatible API. */
export const cohereOperations: OperationTable = {
  embedding: [{ format: 'cohere', path: () => '/v2/embed', atRoot: true }],
  rerank: [{ format: 'cohere', path: () => '/v2/rerank', atRoot: true }],
};

/** ElevenLabs API reference; the voice stands in the path. */
export const elevenLabsOperations: OperationTable = {
  speech: [
    {
      format: 'elevenlabs',
      path: (_model, { payload: { fields } }) => {
        const voice = encodeURIComponent(requiredText(fields, 'voice'));
        const format = elevenLabsFormat(textIfGiven(fields, 'response_format'));
        return `/v1/text-to-speech/${voice}/stream?output_format=${format}`;
      },
      atRoot: true,
      streams: false,
    },
  ],
  transcription: [{ format: 'elevenlabs', path: () => '/v1/speech-to-text', atRoot: true }],
};

/** Replicate HTTP API, `models.predictions.create`; it holds the answer back until the picture is there. */
const prediction: OperationWire = {
  format: 'replicate',
  path: (model) =>
    replicateVersionOf(model) === undefined
      ? `/v1/models/${model.split('/').map(encodeURIComponent).join('/')}/predictions`
      : '/v1/predictions',
  atRoot: true,
  headers: () => ({ prefer: 'wait=60' }),
};

export const replicateOperations: OperationTable = { image_generation: [prediction], image_edit: [prediction] };
