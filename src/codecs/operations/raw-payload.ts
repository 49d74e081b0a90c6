import type { Payload, Upload } from '../../model/operation.ts';

/** A body that travels on as it is, whatever it holds. */
export const rawPayload = (contentType: string, bytes: Uint8Array): Payload => ({
  contentType,
  bytes,
  withModel: () => bytes,
  fields: {},
  files: [],
});

/** A body that travels on as it comes; `bytes` is how it begins. */
export const uploadedPayload = (contentType: string, bytes: Uint8Array, upload: Upload): Payload => ({
  ...rawPayload(contentType, bytes),
  upload,
});
