import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/load.ts';
import type { Log } from '../logs/process-log.ts';
import { keepSheetFresh } from '../providers/models/refresh.ts';
import { createModelKnowledge, type ModelKnowledge } from '../providers/models/traits.ts';

const TIMEOUT_MS = 30_000;

export interface OpenKnowledge {
  readonly models: ModelKnowledge;
  close(): void;
}

/** What is known of models: by their families, by a sheet if one is configured, and by the configuration itself. */
export function openKnowledge({ framework }: Config, appDir: string, log: Log): OpenKnowledge {
  const { pricing, model_overrides: overrides } = framework;
  const models = createModelKnowledge(overrides);
  if (pricing.pricing_url === undefined) return { models, close: () => undefined };
  const refresh = keepSheetFresh({
    url: pricing.pricing_url,
    copyPath: join(appDir, 'model-sheet.json'),
    intervalMs: pricing.pricing_sync_interval * 1_000,
    read: textAt,
    learn: (rows) => models.learn(rows),
    warn: (message) => log('warn', message),
    now: Date.now,
  });
  return { models, close: () => refresh.stop() };
}

/** The text at an address of http, https or file. Throws what kept it from being read. */
export async function textAt(url: string): Promise<string> {
  if (url.startsWith('file://')) return readFile(fileURLToPath(url), 'utf8');
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.text();
}
