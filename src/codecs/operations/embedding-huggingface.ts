import type { JsonValue } from '../../model/json.ts';
import { isVector, type ProviderEmbeddings, textsOf } from './embedding-format.ts';
import { malformed } from './translation.ts';

/** Hugging Face inference, feature extraction: texts in, a list of vectors out, and nothing is counted. */
export const huggingFaceEmbeddings: ProviderEmbeddings = {
  encodeRequest({ inputs, dimensions, purpose, title }, _model, ledger) {
    if (dimensions !== undefined) ledger.dropped('dimensions', 'the provider has no such field');
    if (purpose !== undefined) ledger.dropped('taskType', 'the provider has no such field');
    if (title !== undefined) ledger.dropped('title', 'the provider has no such field');
    return { inputs: textsOf(inputs) };
  },
  decodeAnswer: ({ value }) => ({ vectors: vectorsIn(value) }),
};

/** A single vector stands alone; a model without pooling gives a list of one row for each text. */
function vectorsIn(value: JsonValue): number[][] {
  const rows = Array.isArray(value) && value.length > 0 ? value : [];
  if (isVector(rows) && rows.length > 0) return [rows];
  const vectors = rows.map((row) => (Array.isArray(row) && row.length === 1 && isVector(row[0]) ? row[0] : row));
  if (vectors.length === 0 || !vectors.every(isVector)) throw malformed('vector for each text');
  return vectors;
}
