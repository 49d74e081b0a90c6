import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { listOf } from './translation.ts';

/** The parts of a whole `generateContent` answer's first candidate. */
export function partsIn(body: JsonObject): readonly JsonObject[] {
  const [candidate] = listOf(body.candidates);
  const content = isObject(candidate) ? candidate.content : undefined;
  return isObject(content) ? listOf(content.parts).filter(isObject) : [];
}

export interface InlineData {
  readonly mediaType: string;
  readonly base64: string;
}

/** What the parts hold as data: pictures or sound. */
export const inlineDataIn = (body: JsonObject): readonly InlineData[] =>
  partsIn(body).flatMap(({ inlineData }) =>
    isObject(inlineData) && typeof inlineData.data === 'string'
      ? [{ mediaType: String(inlineData.mimeType ?? ''), base64: inlineData.data }]
      : [],
  );

export const inlinePart = (mediaType: string, bytes: Uint8Array): JsonObject => ({
  inlineData: { mimeType: mediaType, data: Buffer.from(bytes).toString('base64') },
});

/** Why Google gave nothing, in its own words. */
export function reasonIn(body: JsonObject): string {
  const [candidate] = listOf(body.candidates);
  const reason: JsonValue | undefined = isObject(candidate)
    ? (candidate.finishMessage ?? candidate.finishReason)
    : undefined;
  const feedback = isObject(body.promptFeedback) ? body.promptFeedback.blockReason : undefined;
  return String(reason ?? feedback ?? 'no reason given');
}
