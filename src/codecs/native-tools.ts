import type { Origin } from '../model/content.ts';
import type { JsonObject } from '../model/json.ts';
import { textOf } from './members.ts';

/** Calls of tools that OpenAI's models know by heart and the client of the Responses API runs; `_output` is each's result. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['shell_call', 'shell'],
  ['local_shell_call', 'local_shell'],
  ['apply_patch_call', 'apply_patch'],
  ['computer_call', 'computer'],
]);

/** The name by which other models are told of such a call; undefined for any other item. */
export const nativeNameOf = ({ type }: JsonObject): string | undefined => NAMES.get(textOf(type));

const RESULTS: ReadonlySet<string> = new Set([...NAMES.keys()].map((type) => `${type}_output`));

export const isNativeResult = ({ type }: JsonObject): boolean => RESULTS.has(textOf(type));

/** Tools that are offered by their type alone and make sense to every model that can call functions. */
export const OFFERED_BY_TYPE: ReadonlySet<string> = new Set(['shell', 'local_shell', 'apply_patch']);

/** Whether a tool, a call or a result is one that only OpenAI's models know, which all others are told as a function's. */
export const isNative = (origin: Origin | undefined): boolean =>
  origin?.codec === 'openai-responses' &&
  (OFFERED_BY_TYPE.has(textOf(origin.block.type)) ||
    nativeNameOf(origin.block) !== undefined ||
    isNativeResult(origin.block));
