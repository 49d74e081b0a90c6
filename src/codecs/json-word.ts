import type { JsonObject } from '../model/json.ts';
import type { Settings } from '../model/request.ts';
import type { Ledger } from './ledger.ts';

/** "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'." */
export const JSON_WORDS = 'Answer with a JSON object.';

/** Whether an answer in JSON is asked for in messages that never say so, which both APIs of OpenAI refuse. */
export function lacksJsonWord({ responseFormat }: Settings, messages: readonly JsonObject[], ledger: Ledger): boolean {
  if (responseFormat?.type !== 'json-object' || /json/i.test(JSON.stringify(messages))) return false;
  ledger.invented('messages', 'the API answers in JSON only where a message says the word');
  return true;
}
