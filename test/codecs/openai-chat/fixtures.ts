import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A recorded wire text or body of this format. */
export const fixture = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../fixtures/openai-chat', name), 'utf8');
