import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reservedPurpose } from '../../mcp-servers/fetch/address.ts';
import { type DownloadPolicy, download } from '../../mcp-servers/fetch/download.ts';
import { htmlToMarkdown } from '../../mcp-servers/fetch/html-to-markdown.ts';
import { prettyJson } from '../../mcp-servers/fetch/pretty-json.ts';
import { pageOf } from '../../mcp-servers/fetch/render.ts';
import { cpuMs } from '../support/cpu.ts';

describe('addresses', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.255',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:a9fe:a9fe',
    '::ffff:0:127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a00:1',
    '2002:7f00:1::',
    '2002:c0a8:101::1',
    '2001::1',
    '2001:db8::1',
    '3fff::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '100::1',
  ])('%s is not public', (address) => {
    expect(reservedPurpose(address)).toBeTypeOf('string');
  });

  test.each([
    '1.1.1.1',
    '93.184.216.34',
    '100.128.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '2606:4700::1111',
    '2a00:1450:4001:81b::200e',
    '::ffff:1.1.1.1',
    '64:ff9b::1.1.1.1',
    '2002:101:101::1',
    '2001:4860:4860::8888',
  ])('%s is public', (address) => {
    expect(reservedPurpose(address)).toBeUndefined();
  });
});

describe('downloads', () => {
  const seen: string[] = [];
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.socket.localAddress} ${request.url}`);
      const location = new URL(request.url ?? '/', 'http://x').searchParams.get('to');
      if (location) response.writeHead(302, { location }).end();
      else if (request.url !== '/silent') response.end('arrived');
    });
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A network in which 127.0.0.1 is the public internet and every other loopback address is not. */
  const policy = (answers: Record<string, string[][]> = {}): DownloadPolicy => ({
    resolve: async (host) => (answers[host]?.shift() ?? []).map((address) => ({ address, family: 4 })),
    forbiddenPurpose: (address) => (address === '127.0.0.1' ? undefined : 'loopback'),
    timeoutMs: 5000,
    maxBytes: 1000,
  });
  const get = (url: string, answers?: Record<string, string[][]>) =>
    download(url.replaceAll('PORT', String(port)), policy(answers), new AbortController().signal);

  test('every hop of a redirect is checked before it is connected to', async () => {
    seen.length = 0;
    await expect(get('http://127.0.0.1:PORT/?to=http://127.0.0.2:PORT/secret')).rejects.toThrow(
      'Refused: 127.0.0.2 is not a public address (loopback)',
    );
    await expect(get('http://127.0.0.1:PORT/?to=http://[::1]:PORT/secret')).rejects.toThrow('Refused: ::1 is');
    await expect(
      get('http://127.0.0.1:PORT/?to=//inner.test:PORT/', { 'inner.test': [['127.0.0.3']] }),
    ).rejects.toThrow("'inner.test' leads to 127.0.0.3");
    expect(seen.filter((line) => !line.startsWith('127.0.0.1 /?to='))).toEqual([]);
  });

  test('the connection goes to the address that was checked, not to a second answer of the name server', async () => {
    seen.length = 0;
    const answers = { 'rebind.test': [['127.0.0.1'], ['127.0.0.2']] };
    const { body } = await get('http://rebind.test:PORT/page', answers);
    expect(String(body)).toBe('arrived');
    expect(seen).toEqual(['127.0.0.1 /page']);
    expect(answers['rebind.test']).toEqual([['127.0.0.2']]);
  });

  test('one forbidden address among good ones is enough to refuse', async () => {
    await expect(get('http://mixed.test:PORT/', { 'mixed.test': [['127.0.0.1', '127.0.0.2']] })).rejects.toThrow(
      'Refused',
    );
  });

  test.each([
    'http://2130706434/',
    'http://0x7f.2/',
    'http://0177.0.0.2/',
    'http://127.2/',
    'http://[::ffff:127.0.0.2]/',
  ])('the spelling %s of an address does not help', async (url) => {
    await expect(get(url)).rejects.toThrow('Refused');
  });

  test('a name without an address, time that runs out and cancelling are told apart', async () => {
    await expect(get('http://nowhere.test/')).rejects.toThrow("'nowhere.test' has no address");
    const url = `http://127.0.0.1:${port}/silent`;
    const never = new AbortController().signal;
    await expect(download(url, { ...policy(), timeoutMs: 50 }, never)).rejects.toThrow('longer than 0.05 seconds');
    await expect(download(url, policy(), AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
  });
});

describe('HTML as markdown', () => {
  const url = new URL('https://example.com/docs/page');
  const markdown = (html: string) => htmlToMarkdown(html, url);

  test.each([
    [
      'headings and paragraphs',
      '<h1>A &amp; B</h1><p>One\n two</p><p>Three<br>four',
      '# A & B\n\nOne two\n\nThree\nfour',
    ],
    [
      'links',
      '<a href="../x?a=1&amp;b=2">X</a> and <a href="#top">top</a>',
      '[X](https://example.com/x?a=1&b=2) and top',
    ],
    ['a script link', '<a href="javascript:alert(1)">go</a>', 'go'],
    ['a bracket in a link', '<a href="/a_(b)">x</a>', '[x](https://example.com/a_%28b%29)'],
    ['a card inside a link', '<a href="/x"><h3>Title</h3><p>Text</p></a>', '[Title Text](https://example.com/x)'],
    ['an empty link', 'a <a href="/x"><svg></svg></a> b', 'a b'],
    ['emphasis', 'x<b> bold </b>y <em>z</em>', 'x **bold** y *z*'],
    ['lists', '<ul><li>a<li><p>b</p><ol start=3><li>c</li><li>d</ol></ul>e', '- a\n- b\n  3. c\n  4. d\n\ne'],
    ['an empty item', '<ul><li></li><li>x</li></ul>', '- x'],
    [
      'code',
      'run <code>npm i</code><pre><code class="language-ts">\nif (a &lt; b) {\n  c();\n}\n</code></pre>end',
      'run `npm i`\n\n```ts\nif (a < b) {\n  c();\n}\n```\n\nend',
    ],
    ['code in an item', '<ul><li>do<pre>a\nb</pre></ul>', '- do\n  ```\n  a\n  b\n  ```'],
    ['code with a fence', '<pre>```\nx</pre>', '````\n```\nx\n````'],
    ['a quotation', '<blockquote><p>a</p><p>b</p></blockquote>c', '> a\n>\n> b\n\nc'],
    [
      'a table',
      '<table><tr><th>A<th>B<tr><td>1|2<td><p>x</p><p>y</p></table>z',
      '| A | B |\n| --- | --- |\n| 1\\|2 | x y |\n\nz',
    ],
    [
      'images',
      '<img alt="A cat" src="/cat.png"><img src="x.png"><img alt="dot" src="data:x">',
      '![A cat](https://example.com/cat.png)dot',
    ],
    ['entities', '&eacute;&#8364;&#x1F600;&#150;&unknown;&nbsp;&copy=1 AT&T', 'é€😀–&unknown;\u00a0&copy=1 AT&T'],
    ['scripts and styles', 'a<script>if (1 < 2) "</p>"</script><style>b{}</style><noscript>no</noscript>c', 'ac'],
    ['what leads round the site', '<nav><a href="/">Home</a></nav><p>x</p><footer>f</footer>', 'x'],
    ['a tag that nobody closes', '<nav>menu<p>text', 'menu\n\ntext'],
    ['comments', 'a<!-- <p>no</p> -->b<!doctype html>c', 'abc'],
    ['a lone bracket', '1 < 2 and 3 > 2', '1 < 2 and 3 > 2'],
    ['the title', '<head><title>T &amp; U</title></head><body>x', 'Title: T & U\n\nx'],
    ['a title that is the heading', '<title>T</title><h1>T</h1>x', '# T\n\nx'],
    ['a base', '<base href="https://other.org/"><a href="x">y</a>', '[y](https://other.org/x)'],
    ['hidden parts', '<div hidden>no <div>no</div></div>yes', 'yes'],
    ['a rule', 'a<hr>b', 'a\n\n---\n\nb'],
    ['nothing', '', ''],
  ])('%s', (_, html, expected) => {
    expect(markdown(html)).toBe(expected);
  });

  test.each([
    ['open tags', '<nav><b><table><td>'],
    ['open quotes', '<a href="'],
    ['nesting', '<blockquote><ul><li>x'],
    ['comments', '<!--'],
    ['brackets', '<'],
    ['entities', '&amp'],
    ['hidden tags', '<p hidden>'],
  ])('a hostile page of %s costs no more than a good one', (_, piece) => {
    let text = '';
    const spentMs = cpuMs(() => {
      text = markdown(piece.repeat(200_000 / piece.length));
    });
    expect(text.length).toBeLessThan(10_000_000);
    expect(spentMs).toBeLessThan(3_000);
  });
});

describe('JSON and pages', () => {
  test('JSON is indented, its numbers and strings untouched', () => {
    expect(prettyJson('{"a":[1,12345678901234567890,{}],"b":"x{,\\"y","c":[ ]}')).toBe(
      '{\n  "a": [\n    1,\n    12345678901234567890,\n    {}\n  ],\n  "b": "x{,\\"y",\n  "c": [ ]\n}',
    );
    expect(prettyJson('{broken')).toBe('{broken');
    expect(prettyJson('['.repeat(5000) + ']'.repeat(5000))).toHaveLength(10_000);
  });

  test('pages never split a character, and together they are the text', () => {
    const text = 'ab😀cd😀';
    for (const length of [1, 2, 3, 4]) {
      let joined = '';
      for (let next: number | undefined = 0; next !== undefined; ) {
        const page = pageOf(text, next, length);
        expect(page.text).not.toMatch(/[\ud800-\udbff]$/);
        joined += page.text;
        next = page.nextIndex;
      }
      expect(joined).toBe(text);
    }
  });
});
