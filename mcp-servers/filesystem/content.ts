import type { FileHandle } from 'node:fs/promises';
import { openForReading } from './confine.ts';

const kibibyte = 1024;
/** What one answer may hold; larger ones would push everything else out of a model's context. */
export const maxAnswerBytes = 256 * kibibyte;
const maxImageBytes = 4096 * kibibyte;
/** What is read into memory to find lines in. */
const maxLoadedBytes = 64 * kibibyte * kibibyte;

export type FileContent =
  | { readonly kind: 'text'; readonly text: string; readonly fingerprint: string; readonly mode: number }
  | { readonly kind: 'image'; readonly mimeType: string; readonly base64: string };

/** The file as text or as an image. Throws, with what to do, for other binary files and for what is too large. */
export async function readContent(real: string, path: string): Promise<FileContent> {
  const handle = await openForReading(real);
  try {
    return await contentOf(handle, path);
  } finally {
    await handle.close();
  }
}

async function contentOf(handle: FileHandle, path: string): Promise<FileContent> {
  const stats = await handle.stat({ bigint: true });
  if (stats.isDirectory()) throw new Error(`'${path}' is a folder; use list_directory to see what is in it.`);
  if (!stats.isFile()) throw new Error(`'${path}' is neither a file nor a folder (a pipe, socket or device).`);
  const size = Number(stats.size);
  if (size > maxLoadedBytes) {
    throw new Error(`'${path}' is too large: ${sizeText(size)} of at most ${sizeText(maxLoadedBytes)}.`);
  }
  const bytes = await handle.readFile();
  const mimeType = imageTypeOf(bytes);
  if (mimeType) {
    if (size > maxImageBytes) {
      throw new Error(`The image '${path}' is too large: ${sizeText(size)} of at most ${sizeText(maxImageBytes)}.`);
    }
    return { kind: 'image', mimeType, base64: bytes.toString('base64') };
  }
  const text = textOf(bytes);
  if (text === undefined) {
    throw new Error(
      `'${path}' is a binary file (${sizeText(size)}, not UTF-8 text). Only text and png, jpg, gif and webp images can be ` +
        'read; get_file_info tells about the rest.',
    );
  }
  return { kind: 'text', text, fingerprint: fingerprintOf(stats), mode: Number(stats.mode) & 0o7777 };
}

/** Tells one state of a file from another. */
export const fingerprintOf = (stats: { ino: bigint; size: bigint; mtimeNs: bigint }): string =>
  `${stats.ino}:${stats.size}:${stats.mtimeNs}`;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** undefined for what is not text. A byte order mark stays, so that writing the text back keeps it. */
export function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** By the first bytes, since names lie. */
function imageTypeOf(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, 12);
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'image/gif';
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp';
  return undefined;
}

/** Lines with their ends, so that joining them gives the text again. */
export const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

export interface LineRange {
  /** First line, from 1. */
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** The asked part of a text, with a note on where it lies when it is not the whole. Throws when it is too much. */
export function partOf(text: string, path: string, { offset = 1, limit }: LineRange): { text: string; note?: string } {
  if (offset === 1 && limit === undefined) {
    const size = Buffer.byteLength(text);
    if (size <= maxAnswerBytes) return { text };
    throw new Error(
      `'${path}' is too large to read at once: ${sizeText(size)}, ${linesOf(text).length} lines, of at most ` +
        `${sizeText(maxAnswerBytes)}. Read it in parts with offset and limit, or find the place with search_files.`,
    );
  }
  const lines = linesOf(text);
  const part = lines.slice(offset - 1, limit === undefined ? undefined : offset - 1 + limit);
  if (part.length === 0) return { text: '', note: `[nothing at line ${offset}: '${path}' has ${lines.length} lines]` };
  const partText = part.join('');
  if (Buffer.byteLength(partText) > maxAnswerBytes) {
    throw new Error(`These lines are more than ${sizeText(maxAnswerBytes)}. Ask for fewer than ${part.length} lines.`);
  }
  return { text: partText, note: `[lines ${offset} to ${offset + part.length - 1} of ${lines.length}]` };
}

export function sizeText(bytes: number): string {
  if (bytes < kibibyte) return `${bytes} bytes`;
  const kibibytes = bytes / kibibyte;
  return kibibytes < kibibyte ? `${kibibytes.toFixed(1)} KiB` : `${(kibibytes / kibibyte).toFixed(1)} MiB`;
}
