import { htmlToMarkdown } from './html-to-markdown.ts';
import { prettyJson } from './pretty-json.ts';
import { meantAsWindows1252 } from './windows-1252.ts';

interface Body {
  readonly url: URL;
  readonly contentType: string;
  readonly body: Buffer;
}

type Kind = 'html' | 'json' | 'text';

/** A body as text to read: HTML as markdown, JSON indented. `raw` keeps it as it came. Throws for what is not text. */
export function renderBody({ url, contentType, body }: Body, raw: boolean): string {
  const kind = kindOf(contentType, body);
  if (!kind) {
    const type = mimeType(contentType) || 'no type given';
    throw new Error(
      `${url.href} is not text: ${type}, ${body.length} bytes. Only HTML, JSON and other text can be fetched.`,
    );
  }
  const text = decode(contentType, body, kind);
  if (raw || kind === 'text') return text;
  return kind === 'json' ? prettyJson(text) : htmlToMarkdown(text, url);
}

export const mimeType = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase();

const textTypes =
  /^(?:text\/.+|application\/(?:.+\+)?(?:xml|yaml|x-yaml|toml|javascript|ecmascript|typescript|x-sh|sql|graphql|x-ndjson|jsonl|x-www-form-urlencoded))$/;

function kindOf(contentType: string, body: Buffer): Kind | undefined {
  const type = mimeType(contentType);
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  if (/^(?:application|text)\/(?:.+\+)?json$/.test(type)) return 'json';
  if (textTypes.test(type) || /^image\/svg\+xml$/.test(type)) return 'text';
  return type === '' ? kindOfUntyped(body) : undefined;
}

function kindOfUntyped(body: Buffer): Kind | undefined {
  if (body.includes(0)) return undefined;
  return /^\s*<(?:!doctype\s+html|html)/i.test(body.toString('latin1', 0, 1024)) ? 'html' : 'text';
}

/** The character set of the header, else of the page's own <meta>, else UTF-8. A byte order mark is taken off. */
function decode(contentType: string, body: Buffer, kind: Kind): string {
  const inHeader = /charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType)?.[1];
  const inPage =
    kind === 'html'
      ? /<meta[^>]{0,200}charset\s*=\s*["']?([^\s"'/>;]+)/i.exec(body.toString('latin1', 0, 2048))?.[1]
      : undefined;
  try {
    const decoder = new TextDecoder(inHeader ?? inPage ?? 'utf-8');
    const text = decoder.decode(body);
    // Node 20 decodes Windows-1252 (and ISO-8859-1, which means the same on the web) without its own characters.
    return decoder.encoding === 'windows-1252' ? meantAsWindows1252(text) : text;
  } catch {
    // A character set that nobody knows.
    return new TextDecoder().decode(body);
  }
}

/** Part of a text, never splitting a surrogate pair; `nextIndex` when more follows. */
export function pageOf(text: string, startIndex: number, maxLength: number): { text: string; nextIndex?: number } {
  let end = Math.min(text.length, startIndex + maxLength);
  // Unless it is the only character asked for, which would make no progress.
  if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end += maxLength > 1 ? -1 : 1;
  const page = { text: text.slice(startIndex, end) };
  return end < text.length ? { ...page, nextIndex: end } : page;
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
