import type { CodecId, Origin } from '../model/content.ts';
import type { Ledger } from './ledger.ts';

/** Formats whose schemas of answers have names; the others have none to give. */
const NAMING: ReadonlySet<CodecId> = new Set(['openai-chat', 'openai-responses', 'bedrock-converse']);

export function accountForName(field: string, origin: Origin | undefined, ledger: Ledger): void {
  if (!origin || !NAMING.has(origin.codec)) ledger.invented(field, 'the API takes no schema without a name');
}
