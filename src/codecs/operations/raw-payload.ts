import type { Payload } from '../../model/operation.ts';

/** A body that travels on as it is, whatever it holds. */
export const rawPayload = (contentType: string, bytes: Uint8Array): Payload => ({
  contentType,
  bytes,
  withModel: () => bytes,
  fields: {},
  files: [],
});
