import type { MediaPart, MediaSource, Origin, Part } from '../../model/content.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { objectOf, originOf, textOf } from './wire.ts';

/**
 * A part of contents that is neither a call nor a result, which need to know their neighbours. What nobody else
 * understands (code execution, hosted tools' calls, parts with nothing but a signature) becomes opaque.
 */
export function partOf(block: JsonObject): Part {
  const origin = originOf(block);
  if (isSignatureOnly(block)) return { type: 'opaque', origin };
  if (typeof block.text === 'string') {
    return { type: block.thought === true ? 'reasoning' : 'text', text: block.text, origin };
  }
  return mediaOf(block, origin) ?? { type: 'opaque', origin };
}

/** Such a part comes last in a stream and must go back as a part of its own (Gemini API, thought signatures). */
const isSignatureOnly = ({ text, thoughtSignature, inlineData, fileData }: JsonObject): boolean =>
  textOf(thoughtSignature) !== '' && textOf(text) === '' && !isObject(inlineData) && !isObject(fileData);

export function mediaOf({ inlineData, fileData }: JsonObject, origin: Origin): MediaPart | undefined {
  if (isObject(inlineData)) {
    const source: MediaSource = { type: 'base64', data: textOf(inlineData.data) };
    return { type: 'media', mediaType: textOf(inlineData.mimeType) || ANY_TYPE, source, ...nameOf(inlineData), origin };
  }
  if (!isObject(fileData)) return undefined;
  const uri = textOf(fileData.fileUri);
  const source: MediaSource = isGooglesOwn(uri) ? { type: 'file', id: uri } : { type: 'url', url: uri };
  return { type: 'media', mediaType: textOf(fileData.mimeType) || ANY_TYPE, source, ...nameOf(fileData), origin };
}

const ANY_TYPE = 'application/octet-stream';

/** Uploaded files and buckets: addresses that only Google can read. */
const isGooglesOwn = (uri: string): boolean =>
  !/^https?:\/\//.test(uri) || uri.startsWith('https://generativelanguage.googleapis.com/');

const nameOf = ({ displayName }: JsonObject): { name?: string } =>
  typeof displayName === 'string' ? { name: displayName } : {};

export interface WireCall {
  readonly id: string;
  readonly name: string;
  readonly input: string;
}

export function wireCallOf(block: JsonObject): WireCall {
  const { id, name, args } = objectOf(block.functionCall);
  return { id: textOf(id), name: textOf(name), input: JSON.stringify(args ?? {}) };
}
