import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServerProcess, startServer } from './server-process.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const send =
  (contentType: string, body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(200, { ...(contentType && { 'content-type': contentType }), ...headers }).end(body);

const answers: Record<string, Answer> = {
  '/page': send('text/html; charset=utf-8', '<title>Page</title><h2>Hello</h2><p>See <a href="next">next</a>.'),
  '/latin1': send('text/html', Buffer.from('<meta charset="iso-8859-1"><p>caf\xe9\x92s', 'latin1')),
  '/json': send('application/problem+json', '{"a":[1,2]}'),
  '/text': send('text/plain', 'plain\n'),
  '/long': send('text/plain', '0123456789'.repeat(100)),
  '/untyped': send('', 'no type'),
  '/image': send('image/png', Buffer.from([1, 2, 3])),
  '/gzip': send('text/plain', gzipSync('squeezed'), { 'content-encoding': 'gzip' }),
  '/brotli': send('text/plain', brotliCompressSync('squeezed more'), { 'content-encoding': 'br' }),
  '/damaged': send('text/plain', gzipSync('squeezed').subarray(0, 12), { 'content-encoding': 'gzip' }),
  '/bomb': send('text/plain', gzipSync(Buffer.alloc(6 * 1024 * 1024)), { 'content-encoding': 'gzip' }),
  '/huge': (response) => response.writeHead(200, { 'content-length': '99999999' }).write('x'),
  '/missing': (response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>No such page</h1>'),
  '/agent': (response, request) => response.end(`${request.method} ${request.headers['user-agent']}`),
  '/encodings': (response, request) => response.end(`takes ${request.headers['accept-encoding']}`),
  '/redirect': (response) => response.writeHead(301, { location: '/page' }).end(),
  '/loop': (response) => response.writeHead(302, { location: '/loop' }).end(),
  '/away': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
};

let web: Server;
let origin: string;
let open: ServerProcess;
let guarded: ServerProcess;
beforeAll(async () => {
  web = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    if (!answer) throw new Error(`unexpected request ${request.url}`);
    answer(response, request);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  [open, guarded] = await Promise.all([startServer('fetch', ['--allow-private']), startServer('fetch')]);
});
afterAll(async () => {
  await Promise.all([open.close(), guarded.close()]);
  web.closeAllConnections();
  web.close();
});

const get = (path: string, options: object = {}) => open.textOf('fetch', { url: origin + path, ...options });
const failure = (path: string, options: object = {}) => open.errorOf('fetch', { url: origin + path, ...options });

describe('content', () => {
  test('HTML comes as markdown, or as it is when raw', async () => {
    const text = `Title: Page\n\n## Hello\n\nSee [next](${origin}/next).`;
    expect(await get('/page')).toBe(`${text}\n[${origin}/page, text/html, ${text.length} characters]`);
    expect(await get('/page', { raw: true })).toContain('<h2>Hello</h2>');
  });

  test.each([
    ['/latin1', 'café’s'],
    ['/json', '{\n  "a": [\n    1,\n    2\n  ]\n}'],
    ['/text', 'plain\n'],
    ['/untyped', 'no type'],
    ['/gzip', 'squeezed'],
    ['/brotli', 'squeezed more'],
    ['/agent', 'GET bifrost-fetch/0.1.0'],
    ['/encodings', 'takes gzip, br'],
  ])('%s is %j', async (path, expected) => {
    expect((await get(path)).split('\n[http')[0]).toBe(expected);
  });

  test('long content comes in parts', async () => {
    expect(await get('/long', { max_length: 12 })).toMatch(
      /^012345678901\n\[.*characters 0 to 12 of 1000; for more fetch with start_index 12\]$/,
    );
    expect(await get('/long', { max_length: 12, start_index: 990 })).toMatch(/^0123456789\n\[.*this is the end\]$/);
    expect(await failure('/long', { start_index: 1000 })).toContain('past the end');
  });

  test('a redirect is followed, and the answer names the address it came from', async () => {
    expect(await get('/redirect')).toContain(`[${origin}/page, text/html`);
  });
});

describe('failures say what to do', () => {
  test.each([
    ['/image', 'is not text: image/png, 3 bytes'],
    ['/damaged', 'broke off or is damaged'],
    ['/bomb', 'too large: more of at most 5242880 bytes'],
    ['/huge', 'too large: 99999999 of at most 5242880 bytes'],
    ['/missing', '404 Not Found:\n# No such page'],
    ['/loop', 'redirects more than 5 times'],
    ['/away', "'file:' addresses cannot be fetched"],
  ])('%s: %s', async (path, message) => {
    expect(await failure(path)).toContain(message);
  });

  test.each([
    ['example.com', 'is not a URL'],
    ['ftp://example.com/', "'ftp:' addresses cannot be fetched"],
    ['http://user:password@example.com/', 'a user name or password'],
    ['http://127.0.0.1:1/', 'could not be reached: connect ECONNREFUSED'],
  ])('%s: %s', async (url, message) => {
    const text = await open.errorOf('fetch', { url });
    expect(text).toContain(message);
    expect(text).not.toContain('user:password');
  });
});

describe('addresses that are not public', () => {
  test.each([
    'http://127.0.0.1/',
    'http://localhost/',
    'http://[::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0/',
    'http://2130706433/',
    'https://10.0.0.1/',
  ])('%s is refused', async (url) => {
    expect(await guarded.errorOf('fetch', { url })).toMatch(/^Refused: .* not a public address/);
  });

  test('the local web server is out of reach as well', async () => {
    expect(await guarded.errorOf('fetch', { url: `${origin}/text` })).toContain('Only the public internet');
  });
});
