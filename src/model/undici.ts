import { createRequire } from 'node:module';

type Undici = typeof import('undici');

const require = createRequire(import.meta.url);
let loaded: Undici | undefined;

/** The HTTP client below all others, read when it is first needed: that takes 60 ms, which no start should wait for. */
export function undici(): Undici {
  // a package of CommonJS
  loaded ??= require('undici') as Undici;
  return loaded;
}
