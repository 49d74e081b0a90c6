import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** The connection that feeds a decoder. */
interface Feed {
  pause(): void;
  resume(): void;
}

interface Sink {
  data(chunk: Buffer): void;
  end(): void;
  error(cause: Error): void;
}

/** Decodes a compressed body chunk by chunk; paused, it makes its feed pause. */
export interface Decoder extends Feed {
  write(chunk: Buffer): void;
  end(): void;
}

type Open = () => Transform;

/** Node knows Zstandard from 22.15 on. */
const openZstd = 'createZstdDecompress' in zlib ? (zlib.createZstdDecompress as Open) : undefined;

const OPEN: ReadonlyMap<string, Open> = new Map<string, Open>([
  ['gzip', zlib.createGunzip],
  ['x-gzip', zlib.createGunzip],
  ['deflate', zlib.createInflate],
  ['br', zlib.createBrotliDecompress],
  ...(openZstd ? ([['zstd', openZstd]] as const) : []),
]);

/**
 * A decoder for a `content-encoding`, undefined when there is none for it. We ask for `identity`; some servers and the
 * proxies before them compress all the same.
 */
export function decoderOf(encoding: string, feed: Feed, sink: Sink): Decoder | undefined {
  const stream = OPEN.get(encoding)?.();
  if (!stream) return undefined;
  stream.on('data', (chunk: Buffer) => sink.data(chunk));
  stream.on('end', () => sink.end());
  stream.on('error', (cause: Error) => sink.error(cause));
  stream.on('drain', () => feed.resume());
  return {
    write: (chunk) => {
      if (!stream.write(chunk)) feed.pause();
    },
    end: () => stream.end(),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
  };
}
