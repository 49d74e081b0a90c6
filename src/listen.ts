import { createServer, type RequestListener, type Server } from 'node:http';
import { ownValue } from './model/json.ts';

/** A failure of the start that its message explains in full: no stack helps. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Listens at `host`; `localhost` means both loopback addresses where the machine has both, because clients may try
 * either first. Gives the servers to close. Throws StartError that says what to do.
 */
export async function listen(server: Server, host: string, port: number): Promise<Server[]> {
  if (host !== 'localhost') return [await bound(server, host, port)];
  const first = await bound(server, '127.0.0.1', port);
  const second = createServer();
  // what is no HTTP/1 is told as an error of the client, and may be HTTP/2
  for (const event of ['request', 'clientError']) {
    for (const listener of server.listeners(event)) second.on(event, listener as RequestListener);
  }
  const { keepAliveTimeout, requestTimeout, headersTimeout } = server;
  // Node keeps the limit of headers here, and its types leave it out
  const { maxHeaderSize } = server as Server & { readonly maxHeaderSize?: number };
  Object.assign(second, { keepAliveTimeout, requestTimeout, headersTimeout, maxHeaderSize });
  const address = first.address();
  const chosen = typeof address === 'object' && address ? address.port : port;
  try {
    return [first, await bound(second, '::1', chosen)];
  } catch (thrown) {
    if (!(thrown instanceof StartError) || !thrown.message.includes('in use')) return [first];
    first.close();
    throw thrown;
  }
}

function bound(server: Server, host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => reject(explained(cause, host, port));
    server.once('error', failed);
    server.listen({ host, port, backlog: 4_096 }, () => {
      server.off('error', failed);
      resolve(server);
    });
  });
}

function explained(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  const texts: Record<string, string> = {
    EADDRINUSE: `port ${port} on ${host} is in use by another program; stop it, or choose another with -port ${port + 1}`,
    EACCES: `port ${port} on ${host} may not be used by this user; choose one above 1023 with -port 8080`,
    EADDRNOTAVAIL: `${host} is no address of this machine; choose one with -host localhost`,
    ENOTFOUND: `${host} is no address of this machine; choose one with -host localhost`,
  };
  return new StartError(ownValue(texts, cause.code ?? '') ?? `cannot listen on ${host}:${port}: ${cause.message}`, {
    cause,
  });
}
