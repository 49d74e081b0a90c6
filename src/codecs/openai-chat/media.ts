import type { MediaPart, MediaSource, Origin } from '../../model/content.ts';
import { isObject, type JsonObject, ownValue } from '../../model/json.ts';
import { dataUri, dataUriOf } from '../data-uri.ts';
import type { Ledger } from '../ledger.ts';
import { originOf, ownBlock } from './wire.ts';

/** `image_url`, whose value is `{url}` or, with Mistral and others, the URL itself. */
export function imageOf(value: unknown, origin: Origin): MediaPart | undefined {
  const url = isObject(value) ? value.url : value;
  if (typeof url !== 'string') return undefined;
  const inline = dataUri(url);
  if (!inline) return { type: 'media', mediaType: 'image/*', source: { type: 'url', url }, origin };
  const source: MediaSource = { type: 'base64', data: inline.data };
  return { type: 'media', mediaType: inline.mediaType || 'image/*', source, origin };
}

const AUDIO_TYPES: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', wav: 'audio/wav' };

export function audioOf({ data, format }: { data: string; format: string }, origin: Origin): MediaPart {
  const mediaType = ownValue(AUDIO_TYPES, format) ?? `audio/${format}`;
  return { type: 'media', mediaType, source: { type: 'base64', data }, origin };
}

/** What a model said aloud; undefined where there is no sound of it. Its words are told as text. */
export function soundOf(audio: JsonObject): MediaPart | undefined {
  const { data, ...told } = audio;
  if (typeof data !== 'string' || data === '') return undefined;
  const source: MediaSource = { type: 'base64', data: inOnePiece(data) };
  return { type: 'media', mediaType: soundType(data), source, origin: originOf({ audio: told }) };
}

/** Each piece of a stream is padded by itself. */
function inOnePiece(data: string): string {
  const end = data.indexOf('=');
  if (end < 0 || !/[^=]/.test(data.slice(end, -1))) return data;
  return Buffer.concat((data.match(/[^=]+=*/g) ?? []).map((piece) => Buffer.from(piece, 'base64'))).toString('base64');
}

/** By the first bytes, which in base64 are always the same letters; samples without a head are what streams hold. */
const SOUND_TYPES: readonly (readonly [RegExp, string])[] = [
  [/^UklGR/, 'audio/wav'],
  [/^(SUQz|\/\/[MNOPst-v])/, 'audio/mpeg'],
  [/^ZkxhQ/, 'audio/flac'],
  [/^T2dnUw/, 'audio/ogg'],
  [/^\/\/[EFGHk-n]/, 'audio/aac'],
];
/** OpenAI, audio generation: pcm16 has 24 000 samples a second. */
const SAMPLES = 'audio/L16;codec=pcm;rate=24000';

const soundType = (data: string): string => SOUND_TYPES.find(([start]) => start.test(data))?.[1] ?? SAMPLES;

export interface WireFile {
  readonly file_data?: string | null | undefined;
  readonly file_id?: string | null | undefined;
  readonly filename?: string | null | undefined;
}

export function fileOf(file: WireFile, origin: Origin): MediaPart | undefined {
  const { file_data: data, file_id: id, filename } = file;
  const name = filename ? { name: filename } : {};
  if (data) {
    const inline = dataUri(data);
    const mediaType = inline?.mediaType || 'application/pdf';
    return { type: 'media', mediaType, source: { type: 'base64', data: inline?.data ?? data }, ...name, origin };
  }
  if (!id) return undefined;
  return { type: 'media', mediaType: 'application/octet-stream', source: { type: 'file', id }, ...name, origin };
}

/** A content part for `part`; undefined when the format has none, which then stands in the ledger. */
export function wireMedia(part: MediaPart, at: string, ledger: Ledger): JsonObject | undefined {
  const own = ownBlock(part.origin);
  // an image that a model made stands in a list of its own beside the content (OpenRouter)
  if (own) return Array.isArray(own.images) && isObject(own.images[0]) ? own.images[0] : own;
  const { source, mediaType } = part;
  const isImage = mediaType.startsWith('image/');
  if (!isImage && detailOf(part).detail !== undefined) ledger.dropped(`${at}.detail`, 'only pictures are looked at so');
  switch (source.type) {
    case 'text':
      if (part.name !== undefined) ledger.dropped(`${at}.title`, 'a text part has no title');
      ledger.rewritten(`${at}.source`, 'documents of text are told as text');
      return { type: 'text', text: source.text };
    case 'file':
      ledger.dropped(at, 'a file id of another provider means nothing to this one');
      return undefined;
    case 'url':
      if (part.name !== undefined) ledger.dropped(`${at}.filename`, 'what is told by its URL has no name');
      if (isImage) return { type: 'image_url', image_url: { url: source.url, ...detailOf(part) } };
      ledger.rewritten(at, 'Chat Completions takes documents as data only; the model is given the URL as text');
      ledger.dropped(`${at}.mimeType`, 'a URL that is told as text has no type');
      return { type: 'text', text: `[document: ${source.url}]` };
    case 'base64':
      return wireData(part, source.data, at, ledger);
  }
}

/** How closely the model looks at an image, in the word of OpenAI's other format. */
function detailOf({ origin }: MediaPart): JsonObject {
  const detail = origin?.codec === 'openai-responses' ? origin.block.detail : undefined;
  return typeof detail === 'string' ? { detail } : {};
}

function wireData(part: MediaPart, data: string, at: string, ledger: Ledger): JsonObject {
  const { mediaType, name } = part;
  const isNamed = !mediaType.startsWith('image/') && !mediaType.startsWith('audio/');
  if (name !== undefined && !isNamed) ledger.dropped(`${at}.filename`, 'only files have a name');
  if (mediaType.startsWith('image/')) {
    const known = mediaType === 'image/*' ? 'image/png' : mediaType;
    if (known !== mediaType) ledger.invented(`${at}.media_type`, 'the image did not say its type');
    return { type: 'image_url', image_url: { url: dataUriOf(known, data), ...detailOf(part) } };
  }
  if (mediaType.startsWith('audio/')) {
    const format = mediaType === 'audio/mpeg' ? 'mp3' : mediaType.slice('audio/'.length);
    return { type: 'input_audio', input_audio: { data, format } };
  }
  if (name === undefined) ledger.invented(`${at}.file.filename`, 'the API takes no file without a name');
  const extension = mediaType.slice(mediaType.indexOf('/') + 1).replace(/[^a-z0-9]/gi, '_');
  return {
    type: 'file',
    file: { filename: name ?? `document.${extension}`, file_data: dataUriOf(mediaType, data) },
  };
}
