import { isObject, type JsonObject } from '../../model/json.ts';
import type { RpcMessage } from '../peer.ts';

/** What a retry carries beside the parameters of the first try. */
export interface Retry {
  readonly inputResponses?: JsonObject;
  readonly requestState?: string;
}

export interface InputRequired extends JsonObject {
  resultType: 'input_required';
}

/** A server that still asks after this many rounds will not stop. */
export const MAX_ROUNDS = 32;
/** Between tries of a server that only wants to be asked again. */
const PAUSE_MS = 250;

export const isInputRequired = (result: unknown): result is InputRequired =>
  isObject(result) && result.resultType === 'input_required';

/**
 * Gathers what a result asks for: every input by `ask`, at once. Rejects when one of them cannot be had, as the server
 * said that it needs them.
 */
export async function inputsFor(
  result: InputRequired,
  ask: (request: RpcMessage) => Promise<JsonObject>,
): Promise<Retry> {
  const { requestState } = result;
  const requests = isObject(result.inputRequests) ? Object.entries(result.inputRequests) : [];
  const answered = await Promise.all(requests.map(async ([key, request]) => [key, await ask(inputRequest(request))]));
  if (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return {
    ...(requests.length > 0 && { inputResponses: Object.fromEntries(answered) }),
    ...(typeof requestState === 'string' && { requestState }),
  };
}

function inputRequest(value: unknown): RpcMessage {
  if (!isObject(value) || typeof value.method !== 'string')
    throw new Error('the server asked for an input without a method');
  return { method: value.method, params: isObject(value.params) ? value.params : {} };
}
