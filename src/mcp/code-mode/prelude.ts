/**
 * Runs inside of the sandbox before the script, in the script's own realm, so that it may trust nothing afterwards: what
 * it needs it takes before the script can change it. It talks to the outside in strings only. Gives the function that
 * turns a returned value into text.
 */
export const PRELUDE = `
(function (call, emit, servers) {
  'use strict';
  const { parse, stringify } = JSON;
  const { defineProperty, freeze, create } = Object;
  const apply = Reflect.apply;
  const map = Array.prototype.map;
  const join = Array.prototype.join;
  const startsWith = String.prototype.startsWith;
  const Failure = Error;
  const BadInput = TypeError;

  const textOf = (value) => {
    if (typeof value === 'string') return value;
    if (value instanceof Failure) return value.name + ': ' + value.message;
    try {
      const text = stringify(value);
      if (text !== undefined) return text;
    } catch {}
    try {
      return String(value);
    } catch {
      return '[a value that cannot be shown]';
    }
  };
  const print = (...values) => emit(apply(join, apply(map, values, [textOf]), [' ']));
  const define = (target, name, value) =>
    defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true });
  define(globalThis, 'print', print);
  define(globalThis, 'console', freeze({ log: print, info: print, warn: print, error: print, debug: print }));

  const bound = (label, tool) => async (...given) => {
    const text = given.length === 0 ? '{}' : stringify(given[0]);
    if (given.length > 1 || typeof text !== 'string' || !apply(startsWith, text, ['{'])) {
      throw new BadInput(label + ' takes one object with named arguments: ' + label + '({ name: value })');
    }
    return parse(await call(tool, text));
  };
  for (const { names, functions } of parse(servers)) {
    const server = create(null);
    for (const [spellings, tool] of functions) {
      const run = freeze(bound(names[0] + '.' + spellings[0], tool));
      for (const name of spellings) define(server, name, run);
    }
    freeze(server);
    for (const name of names) define(globalThis, name, server);
  }
  return (value) => {
    if (value === undefined) return undefined;
    const text = stringify(value, null, 2);
    return text === undefined ? stringify(textOf(value)) : text;
  };
})
`;
