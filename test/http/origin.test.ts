import { describe, expect, test } from 'vitest';
import { adminCheck, originCheck } from '../../src/http/origin.ts';

describe('a gateway bound to loopback', () => {
  const check = originCheck({ host: '127.0.0.1', port: 8080, allowedOrigins: ['https://app.example.com'] });

  test.each([
    [{ host: '127.0.0.1:8080' }],
    [{ host: 'localhost:9999' }],
    [{ host: 'LOCALHOST' }],
    [{ host: '[::1]:8080' }],
    [{ host: 'localhost:8080', origin: 'http://localhost:5173' }],
    [{ host: 'localhost:8080', origin: 'http://127.0.0.1:8080' }],
    [{ host: 'localhost:8080', origin: 'http://[::1]:8080' }],
    [{ host: 'localhost:8080', origin: 'https://app.example.com' }],
  ])('lets %o in', (headers) => {
    expect(check(headers)).toBeUndefined();
  });

  test.each([
    [{ host: 'evil.example.com' }],
    [{ host: 'evil.example.com:8080', origin: 'http://evil.example.com:8080' }],
    [{ host: 'localhost.evil.example.com' }],
    [{ host: '127.0.0.1.evil.example.com' }],
    [{ host: '192.168.1.5:8080' }],
    [{}],
  ])('refuses %o by its Host', (headers) => {
    expect(check(headers)).toMatch(/^Host '/);
  });

  test.each([
    ['http://evil.example.com'],
    ['http://localhost.evil.example.com'],
    ['https://app.example.com.evil.org'],
    ['http://192.168.1.5:8080'],
    ['null'],
    [''],
  ])('refuses the origin "%s"', (origin) => {
    expect(check({ host: 'localhost:8080', origin })).toMatch(/^Origin '/);
  });
});

describe('a foreign page that shows no Origin', () => {
  const check = originCheck({ host: 'localhost', port: 8080, allowedOrigins: ['https://app.example.com'] });
  const asking = (site: string, dest: string) => ({
    host: 'localhost:8080',
    'sec-fetch-site': site,
    'sec-fetch-dest': dest,
  });

  test.each(['image', 'script', 'iframe', 'empty', 'object'])('is refused what it asks for as %s', (dest) => {
    expect(check(asking('cross-site', dest))).toBe('requests from other web sites are not allowed here');
  });

  test('may lead a person here, who then stays on pages of our own', () => {
    expect(check(asking('cross-site', 'document'))).toBeUndefined();
    expect(check(asking('same-origin', 'image'))).toBeUndefined();
    expect(check(asking('none', 'document'))).toBeUndefined();
  });

  test('is let in where every page is', () => {
    const open = originCheck({ host: 'localhost', port: 8080, allowedOrigins: ['*'] });
    expect(open(asking('cross-site', 'image'))).toBeUndefined();
  });
});

describe('a gateway bound to the network', () => {
  const check = originCheck({ host: '0.0.0.0', port: 8080, allowedOrigins: ['https://*.example.com'] });

  test.each([
    [{ host: 'gateway.lan:8080' }],
    [{ host: '192.168.1.5:8080', origin: 'http://192.168.1.5:8080' }],
    [{ host: 'gateway.lan:8080', origin: 'https://team.example.com' }],
    [{ host: 'gateway.lan:8080', origin: 'http://localhost:5173' }],
  ])('lets %o in', (headers) => {
    expect(check(headers)).toBeUndefined();
  });

  test.each([
    [{ host: 'evil.org:8080', origin: 'http://evil.org:8080' }],
    [{ host: '192.168.1.5:8080', origin: 'http://192.168.1.6:8080' }],
    [{ host: 'gateway.lan:8080', origin: 'https://example.com.evil.org' }],
    [{ host: 'gateway.lan:8080', origin: 'https://a.team.example.com' }],
    [{ host: 'gateway.lan:8080', origin: 'https://.example.com' }],
  ])('refuses %o: a name can be rebound, so it must be configured', (headers) => {
    expect(check(headers)).toMatch(/client\.allowed_origins/);
  });

  test('with "*" every origin is allowed', () => {
    const open = originCheck({ host: '0.0.0.0', port: 8080, allowedOrigins: ['*'] });
    expect(open({ host: 'a', origin: 'https://anything.org' })).toBeUndefined();
  });
});

describe('the admin API', () => {
  const check = adminCheck({ host: 'localhost', port: 8080, allowedOrigins: ['https://app.example.com'] });

  test.each([
    [{ 'sec-fetch-site': 'same-origin' }, undefined],
    [{ 'sec-fetch-site': 'none' }, undefined],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://app.example.com' }, undefined],
    [{ 'sec-fetch-site': 'cross-site' }, expect.stringContaining('other web sites')],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.org' }, expect.stringContaining('allowed_origins')],
  ])('%o -> %s', (headers, refusal) => {
    expect(check({ host: 'localhost:8080', ...headers })).toEqual(refusal);
  });
});
