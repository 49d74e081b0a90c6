import { FOREIGN_REASONING_MARK } from './foreign-reasoning.ts';
import { gatewayIds } from './ids.ts';

/** Marks of items that only we write: calls that the gateway ran, and thinking of models that speak another format. */
const MARKS = [`"${gatewayIds.prefix}`, FOREIGN_REASONING_MARK].map((mark) => Buffer.from(mark));

/** Whether a body may hold items of ours in its input, so that it cannot travel as it came. Searches, never parses. */
export function hasGatewayItems(bytes: Uint8Array): boolean {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return MARKS.some((mark) => body.includes(mark));
}
