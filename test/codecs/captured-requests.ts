import { readdirSync, readFileSync } from 'node:fs';
import type { CodecId } from '../../src/model/content.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { shared, sharedPath } from '../support/shared.ts';

const FOLDERS: Partial<Record<CodecId, string>> = {
  'anthropic-messages': 'claude-code',
  gemini: 'gemini-cli',
  'openai-responses': 'codex',
};

/** What coding agents were seen to send, by the name of the capture; empty where the captures are absent. */
export function capturedRequests(format: CodecId): [string, JsonObject][] {
  const folder = FOLDERS[format];
  if (!shared || !folder) return [];
  const files = readdirSync(sharedPath('captures', folder)).filter((file) => file.startsWith('req-'));
  return files.map((file) => {
    const capture = JSON.parse(readFileSync(sharedPath('captures', folder, file), 'utf8'));
    // Codex's is the body itself
    return [`${folder}/${file}`, capture.body ?? capture];
  });
}
