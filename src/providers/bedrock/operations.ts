import type { OperationFormat } from '../../model/operation.ts';
import type { OperationTable, OperationWire } from '../provider.ts';

/** InvokeModel: each vendor's models have bodies of their own, and the path names the model. */
const invoked = (format: OperationFormat, family: RegExp): OperationWire => ({
  format,
  path: (model) => `/model/${encodeURIComponent(model)}/invoke`,
  serves: (model) => family.test(model),
});

/** Bedrock user guide, inference request parameters of foundation models. */
export const bedrockOperations: OperationTable = {
  embedding: [
    invoked('titan', /titan-embed/i),
    invoked('cohere-bedrock', /cohere\.embed/i),
    invoked('nova', /nova.*embed/i),
  ],
  rerank: [invoked('cohere-bedrock', /rerank/i)],
  image_generation: [invoked('titan', /titan-image|nova-canvas/i), invoked('stability', /stability\./i)],
  image_edit: [invoked('titan', /titan-image|nova-canvas/i)],
};
