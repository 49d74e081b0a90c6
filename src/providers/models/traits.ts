import type { ModelTraits } from '../../model/traits.ts';
import { familyTraits } from './families.ts';
import { type ModelRow, matchingRows, traitsOfRow } from './rows.ts';

/** What is known of the models of all providers. */
export interface ModelKnowledge {
  /** Never waits; a model is looked up once and remembered. */
  traitsOf(provider: string, model: string): ModelTraits;
  /** The rows that a sheet and the configuration have for a model, the most telling last. */
  rowsOf(provider: string, model: string): readonly ModelRow[];
  /** Another number once something else was learnt. */
  readonly revision: number;
  /** Takes the rows of a sheet in place of those of an earlier one. */
  learn(sheet: Readonly<Record<string, ModelRow>>): void;
}

const REMEMBERED_MODELS = 1_000;

const merged = (all: readonly ModelTraits[]): ModelTraits => Object.assign({}, ...all) as ModelTraits;

/** `overrides`: rows of the configuration by model, `provider/model` or a beginning and `*`; they win over all else. */
export function createModelKnowledge(overrides: Readonly<Record<string, ModelRow>> = {}): ModelKnowledge {
  const remembered = new Map<string, ModelTraits>();
  let learnt: Readonly<Record<string, ModelRow>> = {};
  const rowsOf = (provider: string, model: string): readonly ModelRow[] => [
    ...matchingRows(learnt, provider, model),
    ...matchingRows(overrides, provider, model),
  ];
  let revision = 0;
  return {
    rowsOf,
    get revision() {
      return revision;
    },
    traitsOf(provider, model) {
      const key = `${provider}/${model}`;
      const known = remembered.get(key);
      if (known !== undefined) return known;
      const rows = rowsOf(provider, model);
      const family = familyTraits(model);
      const traits = rows.length === 0 ? family : merged([family, ...rows.map(traitsOfRow)]);
      if (remembered.size >= REMEMBERED_MODELS) remembered.clear();
      remembered.set(key, traits);
      return traits;
    },
    learn(sheet) {
      learnt = sheet;
      revision++;
      remembered.clear();
    },
  };
}
