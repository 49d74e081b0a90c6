import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

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

const OPEN = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

const isKnown = (encoding: string): encoding is keyof typeof OPEN => encoding in OPEN;

/**
 * A decoder for a `content-encoding`, undefined when there is nothing to decode. We ask for `identity`; some servers
 * and the proxies before them compress all the same.
 */
export function decoderOf(encoding: string, feed: Feed, sink: Sink): Decoder | undefined {
  if (!isKnown(encoding)) return undefined;
  const stream = OPEN[encoding]();
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
