import { afterEach, describe, expect, test } from 'vitest';
import { boundServers } from '../../../src/mcp/code-mode/names.ts';
import type { ScriptLimits } from '../../../src/mcp/code-mode/protocol.ts';
import { type NestedCall, Script, type ScriptHost, type ScriptState } from '../../../src/mcp/code-mode/script.ts';
import { SandboxThreads } from '../../../src/mcp/code-mode/threads.ts';
import type { CatalogTool } from '../../../src/mcp/contract.ts';

const LIMITS: ScriptLimits = {
  wallMs: 20_000,
  cpuMs: 1_500,
  memoryBytes: 16 * 1024 * 1024,
  stackBytes: 256 * 1024,
  outputLength: 20_000,
  codeLength: 100_000,
  inputLength: 100_000,
  resultLength: 1_000_000,
  maxCalls: 50,
  maxParallelCalls: 4,
};

const tool = (clientName: string, upstreamName: string): CatalogTool => ({
  name: `${clientName}-${upstreamName}`,
  clientId: clientName,
  clientName,
  upstreamName,
  inputSchema: { type: 'object', properties: {} },
  definition: { name: upstreamName, inputSchema: { type: 'object' } },
  annotations: {},
  autoExecute: true,
});

const TOOLS = [
  tool('math', 'add'),
  tool('math', 'fail'),
  tool('math', 'wait'),
  tool('Files', 'read-file'),
  tool('Files', 'delete'),
];

class Host implements ScriptHost {
  readonly calls: NestedCall[] = [];
  most = 0;
  /** No call ends before so many have run at once. */
  together = 1;
  #running = 0;
  readonly #asks: ReadonlySet<string>;

  constructor(...asks: string[]) {
    this.#asks = new Set(asks);
  }

  needsLeave = ({ tool: name }: NestedCall) => this.#asks.has(name);
  allow = async () => {};

  async run(call: NestedCall, signal: AbortSignal): Promise<string> {
    this.calls.push(call);
    this.most = Math.max(this.most, ++this.#running);
    do await new Promise((next) => setImmediate(next));
    while (this.most < this.together && !signal.aborted);
    this.#running -= 1;
    if (call.tool === 'math-add') return JSON.stringify(Number(call.input.a) + Number(call.input.b));
    if (call.tool === 'math-fail') throw new Error('it went wrong');
    if (call.tool === 'math-wait')
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    return JSON.stringify({ called: call.tool, ...call.input });
  }
}

const threads = new SandboxThreads();
const open: Script[] = [];
afterEach(() => {
  for (const script of open.splice(0)) script.abandon();
});

function newScript(code: string, limits: Partial<ScriptLimits> = {}): Script {
  const script = new Script({
    code,
    servers: boundServers(TOOLS),
    limits: { ...LIMITS, ...limits },
    thread: threads.take(),
  });
  threads.prepare();
  open.push(script);
  return script;
}

const never = new AbortController().signal;

async function run(code: string, limits: Partial<ScriptLimits> = {}, host = new Host()): Promise<string> {
  const state = await newScript(code, limits).start(host, never);
  return reportOf(state);
}

function reportOf(state: ScriptState): string {
  if (state.type === 'paused') throw new Error(`paused at ${JSON.stringify(state.calls)}`);
  return state.report;
}

const returned = (report: string): unknown => {
  const [, value] = /Return value: ([\s\S]*?)\n\nEnvironment:/.exec(report) ?? [];
  if (value === undefined) throw new Error(report);
  return JSON.parse(value);
};

describe('a script', () => {
  test.each<[what: string, code: string, value: unknown]>([
    ['returns a value', 'return 1 + 1;', 2],
    ['sets the global result', 'result = { a: 1 };', { a: 1 }],
    ['declares a variable result', 'const result = [1, 2];', [1, 2]],
    [
      'is TypeScript',
      'interface P { a: number }\nconst f = (p: P): number => p.a as number;\nreturn f({ a: 3 } satisfies P)!;',
      3,
    ],
    ['ends with a comment', 'return 4 // four', 4],
    ['calls a tool', 'return await math.add({ a: 1, b: 2 });', 3],
    [
      'calls by the name with a hyphen',
      "return await Files['read-file']({ path: 'a' });",
      { called: 'Files-read-file', path: 'a' },
    ],
    ['calls by an identifier in small letters', "return (await files.read_file({ path: 'a' })).path;", 'a'],
    ['calls without arguments', 'return await Files.delete();', { called: 'Files-delete' }],
    ['runs calls at once', 'return await Promise.all([1, 2, 3].map((a) => math.add({ a, b: 1 })));', [2, 3, 4]],
    [
      'catches what a tool throws',
      'try { await math.fail({}); } catch (e) { return e.message; }',
      'Error executing tool math-fail: it went wrong',
    ],
    ['gives back what is no JSON as text', 'return [String(10n), typeof (() => 1)];', ['10', 'function']],
  ])('%s', async (_, code, value) => {
    expect(returned(await run(code))).toEqual(value);
  });

  test('what was printed stands before what was returned, and calls are noted', async () => {
    const report = await run("console.log('a', { b: 1 }); print([2]); return await math.add({ a: 1, b: 1 });");
    expect(report).toBe(
      [
        'Print output:\na {"b":1}\n[2]\n[TOOL] math.add raw response: 2',
        'Execution completed successfully.\nReturn value: 2',
        'Environment:\n  Available server keys: math, Files' +
          '\n  Note: The code is JavaScript or TypeScript in a sandbox: no imports, network, files or timers. ' +
          'Use `return` or the variable `result` to give back a value.',
      ].join('\n\n'),
    );
  });

  test.each<[what: string, code: string, report: RegExp]>([
    [
      'nothing is produced',
      'const a = 1;',
      /^Execution completed but produced no data:\n\nHints:\n- .*\n\n?[\s\S]*Environment:/,
    ],
    ['the syntax is wrong', 'return (;', /^Execution syntax error:\n\n[\s\S]*Hints:\n- [\s\S]*Environment:/],
    [
      'a name is not known',
      'console.log("before");\nrequire("fs")',
      /^Execution runtime error:\n\nReferenceError: 'require' is not defined \(line 2\)\n\nHints:[\s\S]*Print Output:\nbefore\n\nEnvironment:/,
    ],
    [
      'a tool fails',
      'await math.fail({})',
      /^Execution runtime error:\n\nError: Error executing tool math-fail: it went wrong/,
    ],
    ['arguments are not one object', 'await math.add(1, 2)', /takes one object/],
    ['nothing will ever happen', 'await new Promise(() => {})', /nothing will ever settle/],
    ['something else than an error is thrown', 'throw "no"', /no was thrown/],
  ])('the model is told when %s', async (_, code, report) => {
    expect(await run(code)).toMatch(report);
  });
});

/** What each of these tries, it gets an error or nothing of the outside, and the next script runs as if nothing was. */
describe('a script that tries to get out or to take everything', () => {
  const OUTSIDE =
    'typeof process + typeof require + typeof module + typeof fetch + typeof WebAssembly + typeof std + typeof os + typeof Worker + typeof setTimeout';
  const NOTHING = 'undefined'.repeat(9);

  test.each<[what: string, code: string, value: unknown]>([
    ['the constructor of a constructor', `return [].constructor.constructor('return ${OUTSIDE}')();`, NOTHING],
    [
      'the constructor of an async function',
      `return await (async () => {}).constructor('return ${OUTSIDE}')();`,
      NOTHING,
    ],
    ['indirect eval', `return (0, eval)('${OUTSIDE}');`, NOTHING],
    ["the constructor of the gateway's own functions", `return math.add.constructor('return ${OUTSIDE}')();`, NOTHING],
    ['the constructor of console', `return console.log.constructor('return ${OUTSIDE}')();`, NOTHING],
    [
      'the caller of a getter',
      "return await math.add({ get a() { return this.constructor.constructor('return typeof process')() === 'undefined' ? 1 : 2; }, b: 0 });",
      1,
    ],
    ['importing a module', "try { await import('node:fs'); return 'in'; } catch (e) { return 'out'; }", 'out'],
    [
      'walking up the prototypes',
      'let o = math.add; let n = 0; while ((o = Object.getPrototypeOf(o))) n++; return n > 0 && typeof Object.getPrototypeOf(math) === "object";',
      true,
    ],
    [
      'changing a server',
      "try { 'use strict'; math.add = () => 1; } catch {} return await math.add({ a: 1, b: 1 });",
      2,
    ],
    [
      'changing JSON and promises',
      'JSON.parse = () => 9; JSON.stringify = () => "{}"; Promise.prototype.then = () => 9; Object.prototype.toJSON = () => 9; return 1;',
      1,
    ],
    ['breaking out of the wrapping', '} finally_: { globalThis.out = 1;', undefined],
    ['ending the wrapping', '})(); globalThis.out = 1; (async () => {', undefined],
  ])('%s', async (_, code, value) => {
    const report = await run(code);
    if (value === undefined) expect(report).toMatch(/Execution (syntax error|completed but produced no data)/);
    else expect(returned(report)).toEqual(value);
  });

  test.each<[what: string, code: string, report: RegExp]>([
    ['a loop without end', 'for (;;) {}', /computed for more than/],
    ['an asynchronous loop without end', 'for (;;) await null;', /computed for more than/],
    [
      'a loop that catches everything',
      'for (;;) { try { for (;;) {} } catch {} finally { continue; } }',
      /computed for more than/,
    ],
    ['a loop in a getter of the returned value', 'return { get a() { for (;;) {} } };', /computed for more than/],
    [
      'a loop in a getter of the error',
      'throw { get name() { for (;;) {} } };',
      /computed for more than|was thrown|Execution runtime error/,
    ],
    [
      'a bomb of promises',
      'const f = () => { Promise.resolve().then(f); Promise.resolve().then(f); }; f(); await new Promise(() => {});',
      /computed for more than|out of memory/,
    ],
    ['a regular expression without end', 'return /(a+)+$/.test("a".repeat(50) + "b");', /computed for more than/],
    [
      'a memory bomb',
      'const all = []; for (;;) all.push("x".repeat(1000) + all.length);',
      /out of memory|computed for more than/,
    ],
    [
      'a memory bomb in one native call',
      'return new Array(5e6).fill(1).map((_, i) => [i]).length;',
      /out of memory|computed for more than/,
    ],
    ['a string bomb', 'let s = "x"; for (;;) s += s;', /string too long|out of memory/],
    [
      'a string bomb that catches',
      'let s = "x"; for (;;) { try { s += s; } catch { s = "x"; } }',
      /computed for more than|out of memory/,
    ],
    ['a stack bomb', 'const f = () => f() + 1; return f();', /stack overflow/],
    [
      'a stack bomb in native code',
      'const o = { toJSON() { return [o]; } }; return JSON.stringify(o);',
      /stack overflow|computed for more than|out of memory/,
    ],
    ['a stack bomb in the parser', 'return eval("(".repeat(1e5));', /stack overflow/],
    ['a proxy without end', 'const p = new Proxy({}, { get: (t, k, r) => r[k] }); return p.x;', /stack overflow/],
    ['a value that holds itself', 'const a = {}; a.a = a; return a;', /circular reference/],
    ['more calls than allowed', 'for (let i = 0; ; i++) await math.add({ a: i, b: 1 });', /may make 50 tool calls/],
    [
      'all calls at once',
      'await Promise.all(Array.from({ length: 200 }, () => math.add({ a: 1, b: 1 })));',
      /may make 50 tool calls/,
    ],
    ['arguments that are too long', 'await math.add({ a: "x".repeat(200000) });', /longer than 100000 characters/],
    [
      'arguments that are too deep',
      'let a = {}; for (let i = 0; i < 100; i++) a = { a }; await math.add(a);',
      /nested deeper than 64 levels/,
    ],
    ['arguments that are no object', 'await math.add(new Proxy([], {}));', /takes one object/],
    ['arguments whose getter throws', 'await math.add({ get a() { throw new Error("mine"); } });', /Error: mine/],
  ])('%s', async (_, code, report) => {
    // computing is measured on a clock: what ends in another way must come to it on a busy machine too
    const cpuMs = report.source.includes('computed') ? 600 : 15_000;
    expect(await run(code, { cpuMs })).toMatch(report);
  });

  test('code that is too long is not even read', async () => {
    expect(await run(`return 1;${' '.repeat(100_000)}`)).toMatch(
      /the code is 100009 characters long, more than 100000/,
    );
  });

  test('a flood of output is cut, and so is a large value', async () => {
    const flooded = await run('for (let i = 0; i < 1e3; i++) console.log("x".repeat(100)); return "y".repeat(1e6);');
    expect(flooded.length).toBeLessThan(60_000);
    expect(flooded.includes('[the rest of the output was left out]')).toBe(true);
    expect(/more characters were left out/.test(flooded)).toBe(true);
  });

  test('a script that waits too long is ended, and its calls are cancelled', async () => {
    const host = new Host();
    expect(await run('await math.wait({});', { wallMs: 1_500 }, host)).toMatch(/took longer than 1500 ms/);
    expect(host.calls).toHaveLength(1);
  });

  test('not more calls run at once than allowed', async () => {
    const host = new Host();
    host.together = 4;
    await run('await Promise.all(Array.from({ length: 20 }, (_, a) => math.add({ a, b: 1 })));', {}, host);
    expect(host.calls).toHaveLength(20);
    expect(host.most).toBe(4);
  });

  test('whoever leaves ends the script', async () => {
    const leaving = new AbortController();
    const running = newScript('for (;;) {}').start(new Host(), leaving.signal);
    leaving.abort();
    await expect(running).rejects.toThrow('the script was cancelled');
  });

  test('this process stays responsive beside loops without end', async () => {
    const loops = [1, 2].map(() => run('for (;;) {}', { cpuMs: 1_000 }));
    const startedMs = performance.now();
    let turns = 0;
    while (performance.now() - startedMs < 500) {
      await new Promise((next) => setImmediate(next));
      turns += 1;
    }
    expect(turns).toBeGreaterThan(10);
    await Promise.all(loops);
  });
});

describe('a script that calls what must be allowed', () => {
  const asking = () => new Host('Files-delete');

  test.each<[what: string, code: string]>([
    ['by its name', 'return await Files.delete({ path: "a" });'],
    ['through another name of the server', 'const f = files; return await f["del" + "ete"]({ path: "a" });'],
    ['through the global object', 'return await globalThis["Fi" + "les"].delete({ path: "a" });'],
    [
      'through a function of its own',
      'const { delete: d } = Files; const g = d.bind(null); return await Reflect.apply(g, null, [{ path: "a" }]);',
    ],
    ['through eval', 'return await eval("Fil" + "es.delete")({ path: "a" });'],
    ['through a proxy', 'const p = new Proxy(Files, {}); return await p.delete({ get path() { return "a"; } });'],
  ])('pauses %s, and goes on with the result', async (_, code) => {
    const script = newScript(code);
    const host = asking();
    const state = await script.start(host, never);
    expect(state).toMatchObject({ type: 'paused', calls: [{ tool: 'Files-delete', input: { path: 'a' } }] });
    expect(host.calls).toEqual([]);
    const end = await script.resume(new Map([[1, { value: '{"gone":true}' }]]), host, never);
    expect(returned(reportOf(end))).toEqual({ gone: true });
  });

  test('lets the other calls finish first, and asks for all at once', async () => {
    const host = asking();
    const script = newScript(
      'return await Promise.all([Files.delete({ path: 1 }), math.add({ a: 1, b: 1 }).then((a) => math.add({ a, b: 1 })), Files.delete({ path: 2 })]);',
    );
    const state = await script.start(host, never);
    expect(state).toMatchObject({ calls: [{ input: { path: 1 } }, { input: { path: 2 } }] });
    expect(host.calls).toHaveLength(2);
    const calls = state.type === 'paused' ? state.calls : [];
    const answers = new Map(calls.map(({ number }) => [number, { value: String(number) }]));
    expect(returned(reportOf(await script.resume(answers, host, never)))).toEqual([1, 3, calls[1]?.number]);
  });

  test('pauses again, and a call without a result fails inside of it', async () => {
    const script = newScript(
      'await Files.delete({ path: 1 }); try { await Files.delete({ path: 2 }); } catch (e) { return e.message; }',
    );
    const host = asking();
    await script.start(host, never);
    const second = await script.resume(new Map([[1, { value: '1' }]]), host, never);
    expect(second).toMatchObject({ type: 'paused', calls: [{ input: { path: 2 } }] });
    expect(returned(reportOf(await script.resume(new Map(), host, never)))).toBe('nobody gave a result for this call');
  });

  test('can be ended while it waits', async () => {
    const script = newScript('await Files.delete({});');
    await script.start(asking(), never);
    script.abandon();
    expect(reportOf(await script.resume(new Map(), asking(), never))).toMatch(/was ended before it was done/);
  });
});
