import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toolManager } from '../../../src/config/schema.ts';
import type { CatalogTool, ToolResult } from '../../../src/mcp/contract.ts';
import { type MetaHost, MetaRuns } from '../../../src/mcp/meta-runs.ts';
import type { JsonObject } from '../../../src/model/json.ts';

const tool = (clientName: string, upstreamName: string): CatalogTool => ({
  name: `${clientName}-${upstreamName}`,
  clientId: clientName,
  clientName,
  upstreamName,
  inputSchema: { type: 'object', properties: {} },
  definition: { name: upstreamName, inputSchema: { type: 'object' } },
  annotations: {},
  autoExecute: true,
  mode: 'code',
});

const ODD = ['constructor', '__proto__', 'then', 'toString', 'a.b', "quo'te", '💥', 'new', 'x y', '"];out=1;//', '0'];
const SAFE = ['echo', 'poison', 'deep', 'fail', 'ask', 'slow'];
const TOOLS = [
  ...SAFE.map((name) => tool('srv', name)),
  ...ODD.map((name) => tool('odd', name)),
  tool('undefined', 'echo'),
  tool('Promise', 'echo'),
];

interface Seen {
  readonly tool: string;
  readonly input: JsonObject;
}

/** What a server may say that is not in good faith. */
const POISON =
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":"no","then":"no","toJSON":"no"}';

const answers: Readonly<Record<string, () => ToolResult>> = {
  'srv-poison': () => ({ content: [{ type: 'text', text: POISON }] }),
  'srv-deep': () => ({ content: [{ type: 'text', text: '['.repeat(100_000) + ']'.repeat(100_000) }] }),
  'srv-fail': () => {
    const error = new Error('it broke');
    error.stack = 'Error: it broke\n    at secret (/home/someone/gateway/src/secret.ts:1:1)';
    throw error;
  },
};

let settings: object = {};
const runs = new MetaRuns(() => toolManager.parse(settings));
afterAll(() => runs.close());

async function run(code: string, limits: object = {}, more: Partial<MetaHost> = {}, manager: object = {}) {
  const seen: Seen[] = [];
  settings = { ...manager, code_mode_limits: limits };
  const host: MetaHost = {
    visible: TOOLS,
    signal: AbortSignal.timeout(20_000),
    needsLeave: () => false,
    allow: async () => {},
    async call(name, input) {
      seen.push({ tool: name, input });
      return answers[name]?.() ?? { content: [{ type: 'text', text: JSON.stringify(input) }] };
    },
    ...more,
  };
  const made = await runs.run('executeToolCode', { code }, host);
  const report = made.type === 'ended' ? String(made.result.content[0]?.text) : '';
  return { report, seen, made };
}

function returned(report: string): unknown {
  const value = /Return value: ([\s\S]*?)\n\nEnvironment:/.exec(report)?.[1];
  if (value === undefined) throw new Error(report);
  return JSON.parse(value);
}

/** Nothing of this may ever be read in a script. */
const HOST_WORDS = /node_modules|file:\/\/|\.ts:|\/src\/|\/home\/|worker_threads|quickjs-emscripten|node:internal/;

describe('what crosses the border', () => {
  test('a result with __proto__ changes no prototype, on either side', async () => {
    const { report } = await run(
      'const r = await srv.poison(); return [{}.polluted ?? null, Object.keys(r).sort(), [].polluted ?? null];',
    );
    expect(returned(report)).toEqual([null, ['__proto__', 'constructor', 'then', 'toJSON', 'toString'], null]);
    expect(({} as JsonObject).polluted).toBeUndefined();
  });

  test('a result that calls itself a promise, or knows how to become JSON, is only data', async () => {
    const { report } = await run('const r = await srv.poison(); return JSON.stringify({ then: r.then });');
    expect(returned(report)).toBe('{"then":"no"}');
  });

  const sent: readonly (readonly [what: string, argument: string, arrives: string])[] = [
    [
      '__proto__ as a member',
      'JSON.parse(\'{"__proto__":{"polluted":1},"a":1}\')',
      '{"__proto__":{"polluted":1},"a":1}',
    ],
    [
      'a constructor',
      '{ constructor: { prototype: { polluted: 1 } } }',
      '{"constructor":{"prototype":{"polluted":1}}}',
    ],
    ['a proxy', 'new Proxy({ a: 1 }, { get: (t, k) => (k === "a" ? 2 : t[k]) })', '{"a":2}'],
    ['getters', '{ get a() { delete this.b; return 1; }, b: 2 }', '{"a":1}'],
    ['symbols, functions and undefined', '{ [Symbol("s")]: 1, f() {}, u: undefined, s: Symbol(), a: 1 }', '{"a":1}'],
    ['its own idea of JSON', '{ toJSON: () => ({ a: "mine" }) }', '{"a":"mine"}'],
    ['numbers that are none', '{ a: NaN, b: Infinity, c: -0 }', '{"a":null,"b":null,"c":0}'],
    ['half of a character', '{ a: "\\ud800" }', '{"a":"\\ud800"}'],
  ];
  const kept: readonly (readonly [what: string, argument: string])[] = [
    ['a symbol', 'Symbol("x")'],
    ['a big integer', '{ a: 1n }'],
    ['a function', '() => 1'],
    ['a proxy that refuses everything', 'new Proxy({}, { ownKeys() { throw new Error("no"); } })'],
    ['a revoked proxy', '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()'],
    ['its own JSON that is a list', '{ toJSON: () => [1] }'],
    ['a value that holds itself', '(() => { const a = {}; a.a = a; return a; })()'],
  ];

  describe('arguments', () => {
    let made: Awaited<ReturnType<typeof run>>;
    beforeAll(async () => {
      const refused = kept.map(
        ([, argument]) => `try { await srv.fail(${argument}); } catch (e) { all.push(e.message); }`,
      );
      const calls = sent.map(([, argument]) => `await srv.echo(${argument});`);
      made = await run(`const all = []; ${calls.join('\n')}; ${refused.join('\n')} return all;`);
    });

    test.each(sent.map(([what, , arrives], index) => ({ what, arrives, index })))(
      'with $what arrive as the JSON that they are',
      ({ arrives, index }) => {
        expect(JSON.stringify(made.seen[index])).toBe(`{"tool":"srv-echo","input":${arrives}}`);
        expect(({} as JsonObject).polluted).toBeUndefined();
      },
    );

    test.each(kept.map(([what], index) => ({ what, index })))(
      'that are $what never leave, and the script may go on',
      ({ index }) => {
        expect(returned(made.report)).toHaveLength(kept.length);
        expect(String((returned(made.report) as string[])[index])).not.toContain('it broke');
        expect(made.seen).toHaveLength(sent.length);
      },
    );
  });

  test('a result nested without end is an error of the script at most', async () => {
    const { report } = await run('try { await srv.deep(); return "in"; } catch (e) { return "caught"; }');
    expect(['in', 'caught']).toContain(returned(report));
  });

  test.each([
    ['a tool', 'srv.fail()'],
    ['a refused argument', 'srv.echo(1)'],
    ['too many calls', '(async () => { for (;;) await srv.echo({}); })()'],
    ['too much', 'srv.echo({ a: "x".repeat(2000) })'],
    ['the language', '(async () => null.x)()'],
    ['the parser', '(async () => eval("("))()'],
    ['the stack', '(async () => { const f = () => f() + 1; f(); })()'],
  ])('an error of %s tells nothing of the house', async (_, call) => {
    const code = `try { await ${call}; } catch (e) {
      const all = []; for (let o = e; o; o = Object.getPrototypeOf(o)) for (const k of Reflect.ownKeys(o)) { try { all.push(String(k), String(e[k])); } catch {} }
      return all.join(' '); }`;
    const { report } = await run(code, { max_argument_chars: 1_000, max_calls: 5 });
    expect(String(returned(report)).length).toBeGreaterThan(10);
    expect(report).not.toMatch(HOST_WORDS);
  });

  test.each([
    ['uncaught from a tool', 'await srv.fail();'],
    ['thrown as a proxy', 'throw new Proxy({}, { get() { throw new Error("x"); } });'],
    ['thrown as a symbol', 'throw Symbol("x");'],
    ['thrown with names that are no text', 'throw { name: Symbol("n"), message: { a: 1 }, stack: 5 };'],
    [
      'thrown with a stack of its own',
      'throw Object.assign(new Error("m"), { stack: "script.js:99999999999999999999" });',
    ],
    ['in the value that is returned', 'return { toJSON() { throw { get message() { throw 1; } }; } };'],
    ['rejected and forgotten', 'Promise.reject(new Error("lost")); return 1;'],
  ])('an error %s is told in words of the script only', async (_, code) => {
    const { report } = await run(code);
    expect(report).toMatch(/^Execution /);
    expect(report).not.toMatch(HOST_WORDS);
  });
});

describe('walks to the outside', () => {
  test.each<[what: string, code: string, value: unknown]>([
    [
      'by call sites of a stack',
      `const found = []; Error.prepareStackTrace = (_, sites) => { try { for (const s of sites) found.push(typeof s?.getFunction?.()); } catch {} return ''; };
       try { await srv.echo(1); } catch (e) { String(e.stack); } return found.includes('function');`,
      false,
    ],
    [
      'by the caller of a function',
      'function f() { try { return typeof f.caller; } catch { return "no"; } } return f() === "function";',
      false,
    ],
    ['by arguments.callee', "try { return typeof srv.echo.arguments; } catch { return 'no'; }", 'no'],
    [
      'by every constructor that can be reached',
      `const seen = new Set(); const walk = (o, d) => { if (d > 6 || o === null || (typeof o !== 'object' && typeof o !== 'function') || seen.has(o)) return; seen.add(o);
         for (const k of Reflect.ownKeys(o)) { try { walk(o[k], d + 1); } catch {} } walk(Object.getPrototypeOf(o), d + 1); };
       walk(globalThis, 0); walk(srv.echo, 0);
       for (const f of seen) { if (typeof f !== 'function') continue; try { const made = f('return typeof process'); const p = typeof made === 'function' ? made() : made; if ((await (p?.next?.()?.value ?? p)) === 'object') return 'out: ' + f; } catch {} }
       return seen.size > 100;`,
      true,
    ],
    [
      'by a hook on every await',
      "Promise.prototype.then = function (f) { f({ got: typeof process }); }; return 'fine';",
      'fine',
    ],
    [
      'by Symbol.species',
      'class P extends Promise { static get [Symbol.species]() { return Array; } } try { return (await P.resolve(1)) + 1; } catch (e) { return e.name; }',
      'TypeError',
    ],
    [
      'by Symbol.hasInstance and toPrimitive',
      "Object.defineProperty(Error, Symbol.hasInstance, { value: () => true }); print({ get name() { return globalThis; }, [Symbol.toPrimitive]() { return 'p'; } }); return 1;",
      1,
    ],
    [
      'by a name that the prelude uses',
      "globalThis.parse = globalThis.stringify = () => 'mine'; return await srv.echo({ a: 1 });",
      { a: 1 },
    ],
    [
      'by WebAssembly or memory that is shared',
      'return [typeof WebAssembly, typeof Atomics].join();',
      'undefined,undefined',
    ],
  ])('%s', async (_, code, value) => {
    const { report } = await run(code);
    expect(returned(report)).toEqual(value);
    expect(report).not.toMatch(HOST_WORDS);
  });
});

describe('names', () => {
  describe('of tools', () => {
    let made: Awaited<ReturnType<typeof run>>;
    beforeAll(async () => {
      const calls = ODD.map((name, at) => `all.push(await odd[${JSON.stringify(name)}]({ at: ${at} }));`);
      made = await run(`const all = []; ${calls.join('\n')} return all;`);
    });

    test.each(ODD.map((name, at) => ({ name, at })))(
      '$name leads to that tool, and nothing else happens',
      ({ name, at }) => {
        expect((returned(made.report) as unknown[])[at]).toEqual({ at });
        expect(made.seen[at]).toEqual({ tool: `odd-${name}`, input: { at } });
        expect(made.seen).toHaveLength(ODD.length);
      },
    );
  });

  test('a server with a tool called then is no promise, and can be returned through a function', async () => {
    const { seen } = await run('const get = async () => ({ odd }); return typeof (await get()).odd;');
    expect(seen).toEqual([]);
  });

  test('servers named like words of the language hide none of them', async () => {
    const { report } = await run(
      'return [typeof undefined, Promise === (async () => {})().constructor, await undefined_.echo({ a: 1 }), typeof Promise_.echo];',
    );
    expect(returned(report)).toEqual(['undefined', true, { a: 1 }, 'function']);
  });

  test('that are made up lead to nothing', async () => {
    const names = JSON.stringify(['srv-secret', 'other-tool', '__proto__', 'srv-', 'secret', '', 'prototype']);
    const { seen, report } = await run(
      `let n = 0; for (const s of [srv, odd]) for (const name of ${names}) { try { await s[name]({}); n++; } catch {} } return n;`,
    );
    // the tool that is really called so
    expect(seen.map(({ tool: called }) => called)).toEqual(['odd-__proto__']);
    expect(returned(report)).toBe(1);
  });
});

describe('leave', () => {
  const asking = { needsLeave: (name: string) => name === 'srv-ask' };

  test.each([
    ['another variable', 'const { ask } = srv; await ask({ a: 1 });'],
    ['a computed name', 'await srv[["a", "s", "k"].join("")]({ a: 1 });'],
    ['all values of the server', 'await Object.values(srv)[4]({ a: 1 });'],
    ['Reflect', 'await Reflect.apply(Reflect.get(srv, "ask"), undefined, [{ a: 1 }]);'],
    ['a promise of a promise', 'await Promise.resolve(srv.ask).then((f) => f({ a: 1 }));'],
    ['a tagged generator', 'function* g() { yield srv.ask; } for (const f of g()) await f({ a: 1 });'],
    [
      'a call after the last result was read',
      'const r = await srv.echo({}); await Promise.all([r].map(() => srv.ask({ a: 1 })));',
    ],
    [
      'a call that nobody awaits',
      'srv.ask({ a: 1 }); for (let i = 0; i < 1000; i++) await null; await srv.ask({ a: 1 });',
    ],
  ])('is asked for through %s', async (_, code) => {
    const { made, seen } = await run(code, {}, asking);
    expect(made).toMatchObject({ type: 'paused' });
    expect(made.type === 'paused' && made.calls.every(({ tool: name }) => name === 'srv-ask')).toBe(true);
    expect(seen.map(({ tool: name }) => name)).not.toContain('srv-ask');
    if (made.type === 'paused') made.abandon();
  });

  test('is asked for with the arguments that are sent, not with those that a getter shows first', async () => {
    const { made } = await run(
      'let n = 0; await srv.ask({ get path() { return n++ === 0 ? "safe" : "evil"; } });',
      {},
      asking,
    );
    expect(made).toMatchObject({ type: 'paused', calls: [{ input: { path: 'safe' } }] });
    if (made.type === 'paused') made.abandon();
  });

  test('stays with the arguments that were allowed, whatever the script changes meanwhile', async () => {
    const input: JsonObject[] = [];
    const allow = async (_: string, given: JsonObject) => {
      input.push(given);
      await new Promise((next) => setTimeout(next, 20));
    };
    const { seen } = await run(
      'const a = { path: "safe" }; const call = srv.ask(a); a.path = "evil"; await null; a.path = "worse"; await call;',
      {},
      { allow },
    );
    expect(input).toEqual([{ path: 'safe' }]);
    expect(seen).toEqual([{ tool: 'srv-ask', input: { path: 'safe' } }]);
  });

  test('that is not given runs nothing, however often it is asked for', async () => {
    const allow = async () => {
      throw new Error('no');
    };
    const { report, seen } = await run(
      'let n = 0; for (let i = 0; i < 20; i++) { try { await srv.ask({ i }); } catch { n++; } } return n;',
      {},
      { allow },
    );
    expect(returned(report)).toBe(20);
    expect(seen).toEqual([]);
  });
});

describe('limits from the config', () => {
  test.each<[field: string, limits: object, code: string, told: RegExp]>([
    ['cpu_time_limit', { cpu_time_limit: '200ms' }, 'for (;;) {}', /computed for more than 200 ms/],
    ['time_limit', { time_limit: '300ms' }, 'await srv.slow();', /took longer than 300 ms/],
    [
      'memory_limit_mb',
      { memory_limit_mb: 16 },
      'const a = []; for (let n = 0; ; n++) a.push(new Array(10000).fill(n));',
      /out of memory/,
    ],
    ['max_output_chars', { max_output_chars: 50 }, 'print("x".repeat(100));', /the rest of the output was left out/],
    [
      'max_output_chars of a value',
      { max_output_chars: 50 },
      'return "y".repeat(100);',
      /more characters were left out/,
    ],
    ['max_code_chars', { max_code_chars: 10 }, 'return 1 + 1 + 1;', /the code is 17 characters long, more than 10/],
    [
      'max_argument_chars',
      { max_argument_chars: 20 },
      'await srv.echo({ a: "x".repeat(30) });',
      /longer than 20 characters/,
    ],
    [
      'max_result_chars',
      { max_result_chars: 20 },
      'await srv.echo({ a: "x".repeat(30) });',
      /characters long, more than 20/,
    ],
    ['max_calls', { max_calls: 2 }, 'for (;;) await srv.echo({});', /may make 2 tool calls/],
  ])('%s is kept', async (_, limits, code, told) => {
    const never = (_name: string, _input: JsonObject, signal: AbortSignal) =>
      new Promise<ToolResult>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted'))),
      );
    const { report } = await run(code, limits, code.includes('slow') ? { call: never } : {});
    expect(report).toMatch(told);
  });

  test('the timeout of tools holds where no time is given', async () => {
    const never = () => new Promise<ToolResult>(() => {});
    const { report } = await run('await srv.slow();', {}, { call: never }, { tool_execution_timeout: '250ms' });
    expect(report).toMatch(/took longer than 250 ms/);
  });

  test.each([{ memory_limit_mb: 15 }, { max_calls: 0 }, { max_output_chars: -1 }, { memory_limit_mb: 100_000 }])(
    '%j is refused',
    (limits) => {
      expect(() => toolManager.parse({ code_mode_limits: limits })).toThrow();
    },
  );
});

describe('floods', () => {
  test.each<[what: string, code: string]>([
    ['promises', 'const all = []; for (;;) all.push(new Promise(() => {}));'],
    [
      'microtasks',
      'const f = () => queueMicrotask(f); try { f(); } catch {} const g = () => Promise.resolve().then(g); g(); await new Promise(() => {});',
    ],
    ['output of empty lines', 'for (;;) print();'],
    ['output of long lines', 'const s = "x".repeat(1e6); for (;;) print(s, s, s);'],
    ['rejections', 'for (;;) Promise.reject(new Error("x".repeat(1000)));'],
    ['symbols', 'for (let i = 0; ; i++) Symbol.for("k" + i);'],
    ['giant strings', 'let s = "x".repeat(1e6); for (;;) s = s + s;'],
    ['giant keys', 'const o = {}; for (let i = 0; ; i++) o["k".repeat(1000) + i] = 1;'],
    ['finalisers', 'const r = new FinalizationRegistry(() => {}); for (;;) r.register({}, 1);'],
    ['generators', 'function* g() { yield* g(); } for (const x of g()) {}'],
    ['recursion through JSON', 'const o = { toJSON() { return { a: o }; } }; return JSON.stringify(o);'],
    ['recursion through sort', 'const f = () => [1, 2].sort(f); return f();'],
    ['a recursion of async functions', 'const f = async () => { await f(); }; await f();'],
  ])('of %s end with words', async (_, code) => {
    const limits = { cpu_time_limit: '250ms', memory_limit_mb: 16, max_output_chars: 5_000 };
    const { report } = await run(code, limits);
    expect(report).toMatch(/^Execution runtime error/);
    expect(report.length).toBeLessThan(20_000);
    expect(report).not.toMatch(HOST_WORDS);
  });

  test('leave the next script as if nothing was', async () => {
    expect(returned((await run('return 1;')).report)).toBe(1);
  });
});
