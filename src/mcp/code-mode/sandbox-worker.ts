import { parentPort } from 'node:worker_threads';
import type { QuickJSWASMModule } from 'quickjs-emscripten-core';
import { transform } from 'sucrase';
import type { FromSandbox, ToSandbox } from './protocol.ts';
import { loadEngine, Sandbox } from './sandbox.ts';

// A thread of its own: a script that computes without end stops nobody, and the thread can be ended from outside.

const send = (message: FromSandbox): void => parentPort?.postMessage(message);

const engine = loadEngine();
let sandbox: Sandbox | undefined;

parentPort?.on('message', (message: ToSandbox) => {
  void take(message).catch((thrown: unknown) => {
    // an engine that gave up (its own stack, its own memory) must not be asked anything more
    send({ type: 'failed', kind: 'runtime', message: `the sandbox gave up: ${String(thrown)}` });
  });
});

async function take(message: ToSandbox): Promise<void> {
  switch (message.type) {
    case 'start':
      return start(message, await engine);
    case 'call-done':
      return sandbox?.answer(message.number, { value: message.value });
    case 'call-failed':
      return sandbox?.answer(message.number, { message: message.message });
  }
}

async function start(
  { code, servers, limits }: ToSandbox & { type: 'start' },
  loaded: QuickJSWASMModule,
): Promise<void> {
  send({ type: 'started' });
  const plain = withoutTypes(code);
  if (plain.type === 'failed') return send(plain);
  sandbox = new Sandbox({ engine: loaded, limits, send });
  return sandbox.start(plain.code, servers);
}

/** TypeScript without its types, line for line. The wrapping makes `return` and `await` legal at the top. */
function withoutTypes(code: string): { type: 'plain'; code: string } | (FromSandbox & { type: 'failed' }) {
  const before = 'async function script() {';
  try {
    const { code: plain } = transform(`${before}${code}\n}`, {
      transforms: ['typescript'],
      disableESTransforms: true,
    });
    return { type: 'plain', code: plain.slice(plain.indexOf(before) + before.length, plain.lastIndexOf('}')) };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return { type: 'failed', kind: 'syntax', message: message.replace(/^Error transforming [^:]*: /, '') };
  }
}
