import { GatewayError } from '../model/errors.ts';
import { isObject } from '../model/json.ts';

/** What is wrong with a value, and where inside of it. */
export interface Fault {
  /** Keys and places that lead to it, outermost first. */
  readonly path: (string | number)[];
  readonly what: string;
}

/**
 * Looks at a value as a client sent it, and gives the first fault it finds. Every request of another format is looked
 * at in full, so a value that is right costs no allocation; what a shape does not name may be anything.
 */
export type Shape = (value: unknown) => Fault | undefined;

const SOUND = undefined;

/** One fault, at the value itself. */
const fault = (what: string): Fault => ({ path: [], what });

const inside = (found: Fault, key: string | number): Fault => {
  found.path.unshift(key);
  return found;
};

const mustBe = (wanted: string, value: unknown): Fault =>
  fault(value === undefined ? `is required: ${wanted}` : `must be ${wanted}, not ${nameOf(value)}`);

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

export const text: Shape = (value) => (typeof value === 'string' ? SOUND : mustBe('a string', value));

export const number: Shape = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? SOUND : mustBe('a number', value);

export const flag: Shape = (value) => (typeof value === 'boolean' ? SOUND : mustBe('true or false', value));

export const object: Shape = (value) => (isObject(value) ? SOUND : mustBe('an object', value));

/** A whole number from 0. */
export const count: Shape = (value) => {
  if (typeof value !== 'number') return mustBe('a number', value);
  return Number.isSafeInteger(value) && value >= 0 ? SOUND : fault(`must be a whole number from 0, not ${value}`);
};

export const name: Shape = (value) => (value === '' ? fault('must not be empty') : text(value));

export const maybe =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || value === null ? SOUND : shape(value);

export const word = (...words: readonly string[]): Shape => {
  const known: ReadonlySet<unknown> = new Set(words);
  const list = words.map((each) => `"${each}"`).join(', ');
  return (value) => {
    if (known.has(value)) return SOUND;
    return typeof value === 'string'
      ? fault(`must be one of ${list}, not "${value}"`)
      : mustBe(`one of ${list}`, value);
  };
};

export const list =
  (shape: Shape, whenEmpty?: string): Shape =>
  (value) => {
    if (!Array.isArray(value)) return mustBe('a list', value);
    if (whenEmpty !== undefined && value.length === 0) return fault(whenEmpty);
    for (let index = 0; index < value.length; index++) {
      const found = shape(value[index]);
      if (found) return inside(found, index);
    }
    return SOUND;
  };

/** A text, or a list in its place. */
export const textOrList = (entry: Shape, what: string): Shape => {
  const entries = list(entry);
  return (value) => {
    if (typeof value === 'string') return SOUND;
    return Array.isArray(value) ? entries(value) : fault(what);
  };
};

/** An object with these members; others may stand beside them. */
export const members = (shapes: Readonly<Record<string, Shape>>): Shape => {
  const known = Object.entries(shapes);
  return (value) => {
    if (!isObject(value)) return mustBe('an object', value);
    for (const [key, shape] of known) {
      const found = shape(value[key]);
      if (found) return inside(found, key);
    }
    return SOUND;
  };
};

/** A value that suits one of the shapes. `what` is told of one that suits none. */
export const either =
  (what: string, ...shapes: readonly Shape[]): Shape =>
  (value) =>
    shapes.some((shape) => shape(value) === undefined) ? SOUND : fault(what);

export const both =
  (...shapes: readonly Shape[]): Shape =>
  (value) => {
    for (const shape of shapes) {
      const found = shape(value);
      if (found) return found;
    }
    return SOUND;
  };

/** The shape that the kind of an object asks for; objects of kinds that are not listed pass as they are. */
export const byKind = (
  kindOf: (value: Record<string, unknown>) => unknown,
  shapes: Readonly<Record<string, Shape>>,
): Shape => {
  const known: ReadonlyMap<unknown, Shape> = new Map(Object.entries(shapes));
  return (value) => (isObject(value) ? known.get(kindOf(value))?.(value) : SOUND);
};

/** Throws GatewayError('invalid-request') that names the place, as in `messages.2.content.0.text: ...`. */
export function check(shape: Shape, value: unknown): void {
  const found = shape(value);
  if (!found) return;
  const place = found.path.join('.');
  throw new GatewayError('invalid-request', place === '' ? found.what : `${place}: ${found.what}`, { param: place });
}
