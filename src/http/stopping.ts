import { GatewayError } from '../model/errors.ts';

/** What the calls under way are told when a gateway that stops has waited for them long enough. */
export const stopping = (): GatewayError =>
  new GatewayError('overloaded', 'the gateway was stopped before the answer was complete; send the request again');
