import type { MediaPart, MediaSource } from '../../model/content.ts';
import { GatewayError } from '../../model/errors.ts';
import { isObject, type JsonObject, ownValue } from '../../model/json.ts';
import { objectOf, objectsOf, originOf, textOf } from './wire.ts';

const MEDIA_KINDS = ['image', 'document', 'video', 'audio'] as const;
type MediaKind = (typeof MEDIA_KINDS)[number];

/** The wire's kinds of media, each with the IANA types of its formats (Bedrock API: ImageFormat and its siblings). */
const FORMATS: Readonly<Record<MediaKind, Readonly<Record<string, string>>>> = {
  image: { png: 'image/png', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' },
  document: {
    pdf: 'application/pdf',
    csv: 'text/csv',
    doc: 'application/msword',
    docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    xls: 'application/vnd.ms-excel',
    xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    html: 'text/html',
    txt: 'text/plain',
    md: 'text/markdown',
  },
  video: {
    mp4: 'video/mp4',
    mkv: 'video/x-matroska',
    mov: 'video/quicktime',
    webm: 'video/webm',
    flv: 'video/x-flv',
    mpeg: 'video/mpeg',
    mpg: 'video/mpeg',
    wmv: 'video/x-ms-wmv',
    three_gp: 'video/3gpp',
  },
  audio: {
    mp3: 'audio/mpeg',
    wav: 'audio/wav',
    opus: 'audio/opus',
    aac: 'audio/aac',
    flac: 'audio/flac',
    mp4: 'audio/mp4',
    ogg: 'audio/ogg',
    webm: 'audio/webm',
    mkv: 'audio/x-matroska',
  },
};

/** Other words for the same types. */
const SYNONYMS: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'audio/mp3': 'audio/mpeg',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'text/x-markdown': 'text/markdown',
};

/** A block that holds media; undefined when it holds something else, or media in a way that nobody else knows. */
export function mediaOf(block: JsonObject): MediaPart | undefined {
  const kind = MEDIA_KINDS.find((name) => isObject(block[name]));
  if (kind === undefined) return undefined;
  const { format, source, name } = objectOf(block[kind]);
  const read = sourceOf(objectOf(source));
  if (!read) return undefined;
  const known = ownValue(FORMATS[kind], textOf(format));
  const mediaType = read.type === 'text' ? 'text/plain' : (known ?? (kind === 'document' ? 'text/plain' : `${kind}/*`));
  return {
    type: 'media',
    mediaType,
    source: read,
    ...(typeof name === 'string' && name !== '' && { name }),
    origin: originOf(block),
  };
}

function sourceOf({ bytes, text, content, s3Location }: JsonObject): MediaSource | undefined {
  if (typeof bytes === 'string') return { type: 'base64', data: bytes };
  if (typeof text === 'string') return { type: 'text', text };
  if (Array.isArray(content)) {
    return {
      type: 'text',
      text: objectsOf(content)
        .map((part) => textOf(part.text))
        .join('\n'),
    };
  }
  const { uri } = objectOf(s3Location);
  return typeof uri === 'string' ? { type: 'url', url: uri } : undefined;
}

/**
 * A block for media of another format; undefined for what this one has no place for. `nameOf` makes a document's name.
 * Throws GatewayError('invalid-request') for media at a web address, which Bedrock does not fetch.
 */
export function mediaBlock(part: MediaPart, nameOf: (name: string) => string): JsonObject | undefined {
  const { source, name } = part;
  switch (source.type) {
    case 'file':
      return undefined;
    case 'text':
      return documentBlock('txt', { bytes: Buffer.from(source.text, 'utf8').toString('base64') }, nameOf(name ?? ''));
    case 'url':
      return located(part, source.url, nameOf);
    case 'base64': {
      const { kind, format } = formatOf(part.mediaType, source.data);
      return wireBlock(kind, format, { bytes: plainBase64(source.data) }, () => nameOf(name ?? ''));
    }
  }
}

/** Google's clients may write the alphabet for URLs, and padding may be wrong: AWS refuses both, as do its SDKs. */
const plainBase64 = (data: string): string =>
  data.length % 4 === 0 && PLAIN_BASE64.test(data) ? data : Buffer.from(data, 'base64').toString('base64');

const PLAIN_BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function located({ mediaType, name }: MediaPart, url: string, nameOf: (name: string) => string) {
  if (!url.startsWith('s3://')) {
    const kind = MEDIA_KINDS.find((name) => mediaType.startsWith(`${name}/`)) ?? 'document';
    throw new GatewayError(
      'invalid-request',
      `Bedrock reads no ${kind} from a web address; send the bytes in base64, or an s3:// address`,
      { param: 'messages' },
    );
  }
  const byName = /\.(\w+)$/.exec(url)?.[1]?.toLowerCase() ?? '';
  const known = formatOf(mediaType, '');
  const format = known.kind !== undefined && ownValue(FORMATS[known.kind], byName) ? byName : known.format;
  return wireBlock(known.kind, format, { s3Location: { uri: url } }, () => nameOf(name ?? ''));
}

function wireBlock(
  kind: MediaKind | undefined,
  format: string | undefined,
  source: JsonObject,
  name: () => string,
): JsonObject | undefined {
  if (kind === undefined || format === undefined) return undefined;
  return kind === 'document' ? documentBlock(format, source, name()) : { [kind]: { format, source } };
}

const documentBlock = (format: string, source: JsonObject, name: string): JsonObject => ({
  document: { format, name, source },
});

/** Which kind of block, and which format in it, a media type is; both undefined for what Bedrock does not take. */
function formatOf(given: string, base64: string): { kind?: MediaKind; format?: string } {
  const mediaType = ownValue(SYNONYMS, given) ?? given.split(';')[0] ?? given;
  for (const kind of MEDIA_KINDS) {
    const [format] = Object.entries(FORMATS[kind]).find(([, type]) => type === mediaType) ?? [];
    if (format !== undefined) return { kind, format };
  }
  if (mediaType === 'image/*') return { kind: 'image', format: imageFormat(base64) };
  return mediaType.startsWith('text/') ? { kind: 'document', format: 'txt' } : {};
}

/** Whether the format has a block for such media. */
export const holdsMedia = (mediaType: string): boolean => formatOf(mediaType, '').kind !== undefined;

/** By the first bytes, which in base64 are always the same letters. */
function imageFormat(base64: string): string {
  if (base64.startsWith('/9j/')) return 'jpeg';
  if (base64.startsWith('R0lGOD')) return 'gif';
  return base64.startsWith('UklGR') ? 'webp' : 'png';
}

/**
 * Names that the API takes: letters, digits, single spaces, hyphens, parentheses and square brackets, each name once in
 * a request (Bedrock API, DocumentBlock.name). The same documents always get the same names.
 */
export function documentNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    const clean = name
      .replace(/[^a-zA-Z0-9\s\-()[\]]+/g, '-')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 190);
    const base = clean || 'document';
    let unique = base;
    for (let copy = 2; taken.has(unique); copy++) unique = `${base} (${copy})`;
    taken.add(unique);
    return unique;
  };
}
