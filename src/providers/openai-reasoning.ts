import { familyTraits } from './models/families.ts';
import { onlyFor, type Quirk, renames } from './quirks.ts';

/** OpenAI's own; other vendors' reasoning models have other rules. */
const reasons = (model: string): boolean =>
  /(^|\/)(o\d|gpt-[5-9])/.test(model) && familyTraits(model).reasoning === true;

/** o-series and gpt-5 refuse the old name of the limit (OpenAI, reasoning guide; recorded answers). */
export const openAiReasoning: readonly Quirk[] = [onlyFor(reasons, renames('max_tokens', 'max_completion_tokens'))];
