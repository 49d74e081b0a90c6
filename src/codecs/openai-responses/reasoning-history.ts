import type { HistoryRules } from '../codec.ts';

/** Encrypted thinking makes answers better, but nothing is refused for its lack (Responses API, reasoning items). */
export const reasoningHistory: HistoryRules = {
  mayLack: (bytes) => bytes.includes('"function_call"') && !bytes.includes('"encrypted_content"'),
  lacks: () => false,
};
