/**
 * What is left of a tool call's id on every way to a client and back: codecs write ids in their own alphabet, cut those
 * that are too long for their format, and Gemini's signature rides on its calls' ids.
 */
export const plainCallId = (id: string): string =>
  withoutSignature(id)
    .replace(/[^A-Za-z0-9]/g, '_')
    .slice(0, KEPT_BY_ALL);

/** A call's id as it was before a signature rode on it. */
export const withoutSignature = (id: string): string => id.replace(/(?<=.)_ts_.*$/s, '');

/** Bedrock Converse takes 64 characters; longer ids keep their first 47 and end with a hash. */
const KEPT_BY_ALL = 47;

/** Some models number their calls (`functions.weather:0`): such an id may stand in any conversation. */
export const isUniqueCallId = (id: string): boolean => {
  const plain = plainCallId(id);
  return plain.length >= 9 && !/_\d{1,4}$/.test(plain);
};
