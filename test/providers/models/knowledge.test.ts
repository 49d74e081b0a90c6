import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPricing } from '../../../src/governance/pricing.ts';
import { NO_USAGE } from '../../../src/model/usage.ts';
import { keepSheetFresh, type SheetSource } from '../../../src/providers/models/refresh.ts';
import { rowsOfSheet } from '../../../src/providers/models/rows.ts';
import { createModelKnowledge } from '../../../src/providers/models/traits.ts';

describe('what is known of a model', () => {
  test('an override wins over a sheet, a sheet over the family', () => {
    const models = createModelKnowledge({ 'openai/gpt-4o': { max_output_tokens: 1_000 } });
    models.learn({ 'gpt-4o': { max_output_tokens: 2_000, max_input_tokens: 3_000 } });
    expect(models.traitsOf('openai', 'gpt-4o')).toMatchObject({
      maxOutputTokens: 1_000,
      contextWindow: 3_000,
      reasoning: false,
    });
    expect(models.traitsOf('azure', 'gpt-4o')).toMatchObject({ maxOutputTokens: 2_000 });
  });

  test('the name at its provider tells more than the name, the name more than a beginning', () => {
    const models = createModelKnowledge({
      'my-*': { max_output_tokens: 1, supports_vision: true },
      'my-model': { max_output_tokens: 2 },
      'vllm/my-model': { max_output_tokens: 3 },
    });
    expect(models.traitsOf('vllm', 'my-model')).toEqual({ maxOutputTokens: 3, vision: true });
    expect(models.traitsOf('ollama', 'my-model')).toEqual({ maxOutputTokens: 2, vision: true });
    expect(models.traitsOf('ollama', 'my-other')).toEqual({ maxOutputTokens: 1, vision: true });
  });

  test('each word of an override has its meaning', () => {
    const models = createModelKnowledge({
      house: {
        supports_reasoning: true,
        reasoning_efforts: ['low', 'high'],
        supports_temperature: false,
        supports_function_calling: false,
        supports_response_schema: true,
      },
      claude: { thinking: 'adaptive' },
    });
    expect(models.traitsOf('x', 'house')).toEqual({
      reasoning: true,
      efforts: ['low', 'high'],
      sampling: 'never',
      tools: false,
      structuredOutput: true,
    });
    expect(models.traitsOf('x', 'claude').thinking).toEqual({ budget: false, adaptive: true, canStop: true });
  });

  test('a model is looked up once', () => {
    const models = createModelKnowledge();
    expect(models.traitsOf('openai', 'gpt-5')).toBe(models.traitsOf('openai', 'gpt-5'));
  });

  test('a sheet’s price counts where the table has none, and an override before it', () => {
    const models = createModelKnowledge({ 'house-2': { output_cost_per_token: 5 } });
    models.learn({ 'house-2': { input_cost_per_token: 1, output_cost_per_token: 2 } });
    const pricing = createPricing([], Date.now, models);
    expect(pricing.costOf('vllm', 'house-2', { ...NO_USAGE, input: 3, output: 2 })).toBe(13);
  });

  test('what is wrong in a sheet is left out, row by row', () => {
    const rows = rowsOfSheet(
      '{"a": {"max_output_tokens": 5, "supports_vision": "yes"}, "b": 3, "c": {"max_input_tokens": -1}}',
    );
    expect(rows).toEqual({ a: { max_output_tokens: 5 }, c: {} });
    expect(() => rowsOfSheet('[]')).toThrow('a model sheet is an object');
  });
});

describe('a sheet at an address', () => {
  const SHEET = '{"m": {"max_output_tokens": 7}}';
  let folder: string;
  let copyPath: string;
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'model-sheet-'));
  });
  beforeEach(() => {
    copyPath = join(folder, String(count++), 'sheet.json');
  });
  afterAll(() => rm(folder, { recursive: true }));

  function open(read: SheetSource['read'], more: Partial<SheetSource> = {}) {
    const learnt: unknown[] = [];
    const warnings: string[] = [];
    const refresh = keepSheetFresh({
      url: 'https://user:secret@example.com/sheet.json?key=secret',
      copyPath,
      intervalMs: 3_600_000,
      read,
      learn: (rows) => learnt.push(rows),
      warn: (message) => warnings.push(message),
      now: Date.now,
      ...more,
    });
    return { refresh, learnt, warnings };
  }

  async function begun(read: SheetSource['read'], more: Partial<SheetSource> = {}) {
    const { refresh, learnt, warnings } = open(read, more);
    await refresh.begun;
    refresh.stop();
    return { learnt, warnings };
  }

  test('is read, learnt and kept', async () => {
    const { learnt, warnings } = await begun(async () => SHEET);
    expect(learnt).toEqual([{ m: { max_output_tokens: 7 } }]);
    expect(warnings).toEqual([]);
    expect(await readFile(copyPath, 'utf8')).toBe(SHEET);
  });

  test('is not read again while the copy is fresh', async () => {
    await begun(async () => SHEET);
    let reads = 0;
    const { learnt } = await begun(async () => String(reads++));
    expect([learnt.length, reads]).toEqual([1, 0]);
  });

  test('whose interval no timer can hold is not read again at once', async () => {
    let reads = 0;
    const read = async () => {
      reads++;
      return SHEET;
    };
    const { refresh } = open(read, { intervalMs: 365 * 24 * 3_600_000 });
    await refresh.begun;
    await new Promise((next) => setTimeout(next, 50));
    refresh.stop();
    expect(reads).toBe(1);
  });

  test('that cannot be read is a warning without its secrets, and the copy stays in use', async () => {
    await begun(async () => SHEET);
    await utimes(copyPath, 1, 1);
    const { learnt, warnings } = await begun(() => Promise.reject(new Error('no route')));
    expect(learnt).toEqual([{ m: { max_output_tokens: 7 } }]);
    expect(warnings).toEqual([
      'the model sheet at https://example.com/sheet.json could not be refreshed (no route); what is known of models stays in use',
    ]);
  });

  test('that is no sheet replaces nothing', async () => {
    const { learnt, warnings } = await begun(async () => '<html>');
    expect(learnt).toEqual([]);
    expect(warnings).toHaveLength(1);
    await expect(readFile(copyPath)).rejects.toThrow('ENOENT');
  });

  test('with a broken copy is read anew', async () => {
    await begun(async () => SHEET);
    await writeFile(copyPath, '{');
    expect((await begun(async () => SHEET)).learnt).toHaveLength(1);
  });
});
