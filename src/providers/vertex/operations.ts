import { isImagen } from '../operations/wires.ts';
import type { OperationTable, OperationWire } from '../provider.ts';
import { vertexModelPath } from './names.ts';
import { googleRankingWire } from './ranking.ts';

const at = (format: OperationWire['format'], verb: string, serves?: (model: string) => boolean): OperationWire => ({
  format,
  path: (model) => `${vertexModelPath(model)}:${verb}`,
  ...(serves && { serves }),
});

/** The first Gemini embedding model is still asked as those before it; later ones are asked as the Gemini API is. */
const embedsContent = (model: string): boolean => /gemini|maas/.test(model) && !/gemini-embedding-001$/.test(model);

const prompted = at('gemini', 'generateContent');

/** Vertex AI, models of Google: `predict`, `embedContent`, and prompts whose answer is a picture or sound. */
export const vertexOperations: OperationTable = {
  embedding: [
    at('vertex', 'embedContent', embedsContent),
    at('vertex-predict', 'predict', (model) => !embedsContent(model)),
  ],
  rerank: [googleRankingWire],
  image_generation: [at('imagen', 'predict', isImagen), { ...prompted, serves: (model) => !isImagen(model) }],
  image_edit: [at('imagen', 'predict', isImagen), { ...prompted, serves: (model) => !isImagen(model) }],
  speech: [prompted],
  transcription: [prompted],
  translation: [prompted],
};
