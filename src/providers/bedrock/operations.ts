import type { OperationFormat, OperationKind } from '../../model/operation.ts';
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

const KINDS = ['embedding', 'rerank', 'image_generation'] as const satisfies readonly OperationKind[];

/** What InvokeModel does with a model, and in which format: its body is that model's own. Undefined for chats. */
export function invokedAs(model: string): { kind: OperationKind; format: OperationFormat } | undefined {
  for (const kind of KINDS) {
    const wire = bedrockOperations[kind]?.find(({ serves }) => serves?.(model));
    if (wire) return { kind, format: wire.format };
  }
  return undefined;
}
