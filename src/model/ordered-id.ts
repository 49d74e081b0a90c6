import { randomUUID } from 'node:crypto';

let prefixMs = 0;
let prefix = '';

/**
 * A UUID that begins with the time (version 7, RFC 9562). Rows arrive in the order of their ids, so an index of them
 * grows at its end, where random ids would touch a page for each row: half of what a log row costs.
 */
export function orderedId(nowMs = Date.now()): string {
  if (nowMs !== prefixMs) {
    const digits = nowMs.toString(16).padStart(12, '0');
    prefixMs = nowMs;
    prefix = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
  }
  return prefix + randomUUID().slice(15);
}
