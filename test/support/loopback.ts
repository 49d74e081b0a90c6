import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of a test, at a free port of this machine. */
export interface Loopback {
  readonly url: string;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Ends open connections too. */
  close(): Promise<void>;
}

export async function onLoopback(server: Server): Promise<Loopback> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // a listening TCP server has an address
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${host}`, host, close };
}

/** All that a client sent behind its headers. */
export async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}
