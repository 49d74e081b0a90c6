/** What the name of a Gemini model tells of it. Names that tell nothing (`gemini-flash-latest`) count as new. */
export interface ModelTraits {
  readonly generation: number;
  readonly isPro: boolean;
  readonly thinks: boolean;
  /** Wants its pictures signed when they come back (Gemini API, thought signatures: image generation). */
  readonly signsPictures: boolean;
  /** Tokens a model that counts its thinking may think for; `canStop` when it can do without. */
  readonly budget: { readonly least: number; readonly most: number; readonly canStop: boolean };
}

const NEWEST = 3;

/** Budgets: Gemini API, thinking. */
export function traitsOf(model: string): ModelTraits {
  const name = model.toLowerCase();
  const version = /gemini-(\d+(?:\.\d+)?)/.exec(name)?.[1];
  const generation = version === undefined ? NEWEST : Number(version);
  const isPro = name.includes('pro');
  return {
    generation,
    isPro,
    thinks: generation >= 2.5 || name.includes('thinking'),
    signsPictures: generation >= 3 && name.includes('image'),
    budget: budgetOf(name, isPro),
  };
}

function budgetOf(name: string, isPro: boolean): ModelTraits['budget'] {
  if (isPro) return { least: 128, most: 32_768, canStop: false };
  return { least: name.includes('lite') ? 512 : 1, most: 24_576, canStop: true };
}
