import { isObject, type JsonObject } from '../../model/json.ts';
import type { AnswerHead } from '../codec.ts';
import type { Ledger } from '../ledger.ts';
import { objectsOf } from './wire.ts';

/** Whether a body offers, or calls, tools in a form beside functions: free text, or the older `functions`. */
export const holdsOtherForms = (body: JsonObject): boolean =>
  body.functions !== undefined ||
  body.function_call !== undefined ||
  objectsOf(body.tools).some(isFreeText) ||
  objectsOf(body.messages).some(
    (message) =>
      message.role === 'function' ||
      isObject(message.function_call) ||
      objectsOf(message.tool_calls).some((call) => isFreeText(call) || isObject(call.custom)),
  );

const isFreeText = ({ type }: JsonObject): boolean => type === 'custom';

/** A tool of the older `functions`, whose origin is its bare definition, as one of `tools`; any other as it is. */
export const inNewerForm = (own: JsonObject): JsonObject =>
  isOlderTool(own) ? { type: 'function', function: own } : own;

export const isOlderTool = (own: JsonObject): boolean => own.type === undefined && !isObject(own.function);

/** Enters into the ledger that a tool of this format is told in another of its forms. */
export function retoldTool(own: JsonObject, at: string, ledger: Ledger): void {
  if (isOlderTool(own)) ledger.rewritten('functions', 'the older form of tools is told in the newer one');
  else for (const field of ['custom', 'function']) ledger.rewritten(`${at}.${field}`, FREE_TEXT_AS_FUNCTION);
}

const FREE_TEXT_AS_FUNCTION = 'a tool that takes free text is told as a function here';

/** Whether a body offers tools in the older form only: one call for each answer. */
export const offersOlderOnly = ({ functions, tools }: JsonObject): boolean =>
  functions !== undefined && tools === undefined;

/** Whether a client reads calls from nowhere but `function_call`. */
export const readsOlderCalls = (head: AnswerHead | undefined): boolean => offersOlderOnly(head?.asked?.body ?? {});
