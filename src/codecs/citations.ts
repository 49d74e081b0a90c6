import type { Origin, Part } from '../model/content.ts';
import type { JsonObject } from '../model/json.ts';
import { type Citation, cited, MOST_CITATIONS, placeOf, shifted, textCited, within } from './citation.ts';
import { citationsAtEnd } from './citations-at-end.ts';
import { objectOf, objectsOf } from './members.ts';

/**
 * The pages that the end of a text names (Anthropic's and Bedrock's `citations`, the Responses API's `annotations`).
 * Places in files have no address that another format could give.
 */
export const citationsOf = (origin: Origin | undefined, length: number): Citation[] =>
  allIn(origin, length).slice(0, MOST_CITATIONS);

function allIn(origin: Origin | undefined, length: number): Citation[] {
  switch (origin?.codec) {
    case 'anthropic-messages':
      // the whole block is what rests on the source
      return objectsOf(origin.block.citations).flatMap(({ url, source, title }) =>
        cited(url ?? source, title, 0, length),
      );
    case 'bedrock-converse':
      return citationsInConverse(objectOf(origin.block.citationsContent), length);
    case 'openai-responses':
      return objectsOf(origin.block.annotations).flatMap(({ type, url, title, start_index: start, end_index: end }) =>
        type === 'url_citation' ? cited(url, title, placeOf(start, 0), placeOf(end, length)) : [],
      );
    default:
      return [];
  }
}

/** The whole block rests on the source here too (Bedrock API, CitationsContentBlock). */
const citationsInConverse = ({ citations }: JsonObject, length: number): Citation[] =>
  objectsOf(citations).flatMap(({ title, source, location }) =>
    cited(objectOf(objectOf(location).web).url ?? source, title, 0, length),
  );

/** The pages that a whole answer names, for places in all of its text. */
export function allCitations(parts: readonly Part[], end: Origin | undefined): { text: string; citations: Citation[] } {
  let text = '';
  const inside = parts.flatMap((part) => {
    if (part.type !== 'text') return [];
    const offset = text.length;
    text += part.text;
    return citationsOf(part.origin, part.text.length).map((citation) => shifted(citation, offset));
  });
  return { text, citations: [...inside, ...citationsAtEnd(end, text)] };
}

/** The pages that the end of a whole answer names, by the text in which each stands; places are those in that text. */
export function endCitationsByText(
  parts: readonly Part[],
  end: Origin | undefined,
): ReadonlyMap<Part, readonly Citation[]> {
  const texts = parts.filter((part) => part.type === 'text');
  const begins: number[] = [];
  let whole = '';
  for (const { text } of texts) {
    begins.push(whole.length);
    whole += text;
  }
  const byText = new Map<Part, Citation[]>();
  for (const citation of citationsAtEnd(end, whole)) {
    const at = textCited(begins, citation);
    const part = texts[at];
    if (!part) continue;
    const here = within(citation, begins[at] ?? 0, part.text.length);
    const known = byText.get(part);
    if (known) known.push(here);
    else byText.set(part, [here]);
  }
  return byText;
}
