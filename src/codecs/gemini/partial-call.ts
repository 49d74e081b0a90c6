import { isObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { objectOf, objectsOf, textOf } from './wire.ts';

/** A call whose arguments stream in as values at paths (`streamFunctionCallArguments`). */
export class PartialCall {
  /** The part that opened the call: name, signature, perhaps an id. */
  readonly opening: JsonObject;
  readonly index: number;
  readonly #args: JsonObject = {};

  constructor(opening: JsonObject, index: number) {
    this.opening = opening;
    this.index = index;
    this.take(objectOf(opening.functionCall));
  }

  take({ args, partialArgs }: JsonObject): void {
    Object.assign(this.#args, objectOf(args));
    for (const piece of objectsOf(partialArgs)) put(this.#args, pathOf(textOf(piece.jsonPath)), pieceValue(piece));
  }

  get args(): JsonObject {
    return this.#args;
  }

  /** The call as one whole part. */
  get whole(): JsonObject {
    const { partialArgs: _1, willContinue: _2, ...call } = objectOf(this.opening.functionCall);
    return { ...this.opening, functionCall: { ...call, args: this.#args } };
  }
}

/** Whether a call is only begun or continued by this part. */
export const isFragment = (call: JsonObject): boolean =>
  call.willContinue === true || call.partialArgs !== undefined || textOf(call.name) === '';

/** `$.operations[0].action` and `$['a key']` as keys; list places are numbers. */
function pathOf(jsonPath: string): (string | number)[] {
  const steps = jsonPath.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/g);
  return [...steps].map(([, name, place, quoted, doubly]) =>
    place === undefined ? (name ?? quoted ?? doubly ?? '') : Number(place),
  );
}

function pieceValue(piece: JsonObject): JsonValue {
  const { stringValue, numberValue, boolValue } = piece;
  return stringValue ?? numberValue ?? boolValue ?? null;
}

/** Sets a value; a text grows the text that is there. */
function put(root: JsonObject, path: readonly (string | number)[], value: JsonValue): void {
  let at: JsonObject | JsonValue[] = root;
  path.forEach((key, depth) => {
    const isLast = depth === path.length - 1;
    const before = read(at, key);
    if (isLast) {
      write(at, key, typeof before === 'string' && typeof value === 'string' ? before + value : value);
      return;
    }
    const next = isObject(before) || Array.isArray(before) ? before : typeof path[depth + 1] === 'number' ? [] : {};
    write(at, key, next);
    at = next;
  });
}

const read = (from: JsonObject | JsonValue[], key: string | number): JsonValue | undefined =>
  Array.isArray(from) ? from[Number(key)] : from[key];

function write(into: JsonObject | JsonValue[], key: string | number, value: JsonValue): void {
  if (!Array.isArray(into)) {
    // a path named __proto__ would otherwise reach the prototype
    Object.defineProperty(into, key, { value, writable: true, enumerable: true, configurable: true });
    return;
  }
  const place = Number(key);
  if (place <= into.length) into[place] = value;
}
