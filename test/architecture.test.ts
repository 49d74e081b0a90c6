import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Import, importsOf, sourceFiles } from './support/imports.ts';

const root = resolve(import.meta.dirname, '..');
const files = sourceFiles(resolve(root, 'src'));
const imports = files.flatMap(importsOf);
const servers = sourceFiles(resolve(root, 'mcp-servers'));

/** Lowest first. A folder imports itself and lower rows, never its own row's neighbours. */
const ROWS: readonly (readonly string[])[] = [
  ['model'],
  ['codecs', 'config', 'vault'],
  ['providers', 'mcp', 'stores'],
  ['router', 'agent', 'governance', 'logs'],
  ['gateway'],
  ['http'],
  ['rooms'],
  ['top'],
];

const VENDOR_SDKS = ['openai', '@anthropic-ai/sdk', '@google/genai'];
const MOST_LINES = 400;

/** Tables and state machines that are one idea and longer than a file should be. */
const LONG_FILES: readonly string[] = [];

/** The folder below src; a file of src itself is `top`, which joins them all. */
const unitOf = (path: string): string => (path.includes('/') ? (path.split('/')[0] ?? '') : 'top');

const rowOf = (unit: string): number => ROWS.findIndex((row) => row.includes(unit));

function layerFaultOf({ from, to }: Import): string | undefined {
  if (!/\.(ts|tsx|json)$/.test(to) || to.startsWith('../')) return undefined;
  const [importer, imported] = [unitOf(from), unitOf(to)];
  if (importer === imported) return undefined;
  const isLower = rowOf(imported) >= 0 && rowOf(imported) < rowOf(importer);
  return isLower ? undefined : `${from} (row ${rowOf(importer)}) imports ${to} (row ${rowOf(imported)})`;
}

const isVendorSdk = (target: string): boolean =>
  VENDOR_SDKS.some((name) => target === name || target.startsWith(`${name}/`));

const faults = (found: readonly Import[]): string[] => found.flatMap((one) => layerFaultOf(one) ?? []);

/** The files in circles, and on the ways between circles: what is left when nobody else starts or ends an import. */
function inCircles(found: readonly Import[]): string[] {
  const importers = new Set(found.map(({ from }) => from));
  const imported = new Set(found.map(({ to }) => to));
  const left = found.filter(({ from, to }) => imported.has(from) && importers.has(to));
  return left.length < found.length ? inCircles(left) : [...importers].sort();
}

describe('the layer table', () => {
  test('there is something to check', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.filter(({ to }) => to.startsWith('model/')).length).toBeGreaterThan(20);
    expect(imports.some(({ to }) => isVendorSdk(to))).toBe(true);
    expect(servers.length).toBeGreaterThan(3);
  });

  test('every folder has a row', () => {
    const unknown = files.map(({ path }) => unitOf(path)).filter((unit) => rowOf(unit) < 0);
    expect([...new Set(unknown)]).toEqual([]);
  });

  test('every row has its folders', () => {
    const units = new Set(files.map(({ path }) => unitOf(path)));
    expect(ROWS.flat().filter((unit) => !units.has(unit))).toEqual([]);
  });

  test('every import points down', () => {
    expect(faults(imports)).toEqual([]);
  });

  test('no files import each other in a circle, not even for types alone', () => {
    expect(inCircles(imports)).toEqual([]);
  });

  test.each([
    ['a>b b>c', []],
    ['a>b b>a', ['a', 'b']],
    ['a>b b>c c>b c>d', ['b', 'c']],
  ])('%s: in a circle are %j', (arrows, expected) => {
    const found = arrows.split(' ').map((arrow) => ({ from: arrow.charAt(0), to: arrow.charAt(2) }));
    expect(inCircles(found)).toEqual(expected);
  });

  test.each([
    ["import { a } from '../config/load.ts';", 'model/a.ts', true],
    ["import type { A } from '../agent/loop.ts';", 'router/a.ts', true],
    ["export { a } from '../http/app.ts';", 'gateway/a.ts', true],
    ["const a = await import('../gateway/gateway.ts');", 'mcp/a.ts', true],
    ["import '../codecs/index.ts';", 'config/a.ts', true],
    ["import {\n  a,\n  b,\n} from './gateway/gateway.ts';", 'main.ts', false],
    ["import { a } from '../../model/json.ts';", 'codecs/gemini/a.ts', false],
    ["import { a } from '../stores/sqlite.ts';", 'mcp/a.ts', true],
    ["import { a } from '../unknown/a.ts';", 'http/a.ts', true],
    ["import { join } from 'node:path';", 'model/a.ts', false],
  ])('%j in %s is a fault: %s', (text, path, isFault) => {
    expect(faults(importsOf({ path, text }))).toHaveLength(isFault ? 1 : 0);
  });
});

test('only providers/ knows the vendors’ SDKs', () => {
  const outside = imports.filter(({ from, to }) => isVendorSdk(to) && unitOf(from) !== 'providers');
  expect(outside).toEqual([]);
});

test('the bundled MCP servers know nothing of the gateway', () => {
  const outside = servers.flatMap(importsOf).filter(({ to }) => to.startsWith('../'));
  expect(outside).toEqual([]);
});

test('nothing is called utils', () => {
  const paths = [...files, ...servers].map(({ path }) => path);
  expect(paths.filter((path) => /(^|\/)utils?(\/|\.)/.test(path))).toEqual([]);
});

/** Where a constant table of words is asked for a word from outside in a way that finds more than it was given. */
function unguardedLookups({ path, text }: { path: string; text: string }): string[] {
  const tables = [...text.matchAll(/\bconst ([A-Z_]+): (?:Readonly<)?Record<string,/g)].map((match) => match[1] ?? '');
  return tables.flatMap((table) => {
    const lookup = new RegExp(`\\b${table}\\[[^'\\]]+\\]|\\(\\w+ in ${table}\\b`, 'g');
    return [...text.matchAll(lookup)].map(([found]) => `${path}: ${found}`);
  });
}

describe('tables of words', () => {
  test('are asked by ownValue, as `constructor` is a word too', () => {
    expect(files.flatMap(unguardedLookups)).toEqual([]);
  });

  test.each([
    ['const KINDS: Readonly<Record<string, Kind>> = {};\nreturn KINDS[word] ?? other;', 1],
    ['const KINDS: Record<string, Kind> = {};\nif (word in KINDS) return word;', 1],
    ['const KINDS: Readonly<Record<string, Kind>> = {};\nreturn ownValue(KINDS, word);', 0],
    ["const KINDS: Readonly<Record<string, Kind>> = {};\nreturn KINDS['stop'];", 0],
    ['const KINDS: Readonly<Record<Word, Kind>> = {};\nreturn KINDS[word];', 0],
    ['const KINDS: Record<string, Kind> = {};\nfor (const word in KINDS) use(word);', 0],
  ])('%j: %i', (text, count) => {
    expect(unguardedLookups({ path: 'a.ts', text })).toHaveLength(count);
  });
});

describe('files stay short', () => {
  test(`none has more than ${MOST_LINES} lines`, () => {
    const all = [...files.map(inFolder('src')), ...servers.map(inFolder('mcp-servers'))];
    const long = all.filter(({ path, text }) => text.split('\n').length > MOST_LINES && !LONG_FILES.includes(path));
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('the exceptions exist', () => {
    expect(LONG_FILES.filter((path) => !existsSync(resolve(root, path)))).toEqual([]);
  });
});

function inFolder(folder: string) {
  return ({ path, text }: { path: string; text: string }) => ({ path: `${folder}/${path}`, text });
}
