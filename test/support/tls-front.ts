import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { certificate } from './certificate.ts';

export interface TlsFront {
  readonly port: number;
  close(): Promise<void>;
}

/** What listens on `port` of this machine, behind TLS with the certificate that signs itself. */
export async function startTlsFront(port: number, options: TlsOptions = {}, host = '127.0.0.1'): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => sockets.add(socket.on('error', () => socket.destroy()));
  const server = createServer({ ...certificate, ...options }, (client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) keep(socket);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    // a listening TCP server has an address
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
