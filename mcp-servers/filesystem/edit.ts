export interface Edit {
  readonly oldText: string;
  readonly newText: string;
  readonly replaceAll?: boolean | undefined;
}

/** Applies the edits one after the other, each to what the one before left; throws when one does not fit, and none counts. */
export function applyEdits(text: string, edits: readonly Edit[]): { text: string; replacements: number } {
  // A model sees and writes line feeds; in a file whose lines all end in CR LF that is what it means.
  const ends = /\r\n/.test(text) && !/[^\r]\n|^\n/.test(text) ? '\r\n' : '\n';
  let edited = text;
  let replacements = 0;
  edits.forEach((edit, index) => {
    const [oldText, newText] = [withEnds(edit.oldText, ends), withEnds(edit.newText, ends)];
    const pieces = edited.split(oldText);
    const count = pieces.length - 1;
    if (count === 0) throw new Error(notFound(edited, oldText, numberOf(index, edits)));
    if (!edit.replaceAll && !isOnce(edited, oldText)) {
      throw new Error(
        `${numberOf(index, edits)}: oldText occurs ${count > 1 ? `${count} times` : 'twice, once over the other'}. Add surrounding lines until it is unique, ` +
          'or set replaceAll. Nothing was changed.',
      );
    }
    edited = pieces.join(newText);
    replacements += count;
  });
  return { text: edited, replacements };
}

/** Occurrences may overlap (`aa` in `aaa`), and then it is not clear which one is meant. */
const isOnce = (text: string, part: string): boolean => text.indexOf(part, text.indexOf(part) + 1) === -1;

const withEnds = (text: string, ends: string): string => (ends === '\n' ? text : text.replace(/\r?\n/g, ends));

const numberOf = (index: number, edits: readonly Edit[]): string =>
  edits.length === 1 ? 'The edit' : `Edit ${index + 1} of ${edits.length}`;

function notFound(text: string, oldText: string, name: string): string {
  const line = lineAlike(text, oldText);
  const hint =
    line === undefined
      ? 'Read the file again and copy the text exactly.'
      : `Line ${line} is alike but for its white space: copy the text exactly.`;
  return `${name}: oldText was not found; it must match to the last space and line end. ${hint} Nothing was changed.`;
}

/** The first line (from 1) where the old text begins if white space at both ends of lines did not count. */
function lineAlike(text: string, oldText: string): number | undefined {
  const wanted = oldText.split('\n').map((line) => line.trim());
  while (wanted.length > 1 && wanted.at(-1) === '') wanted.pop();
  if (wanted.join('') === '') return undefined;
  const lines = text.split('\n').map((line) => line.trim());
  const index = lines.findIndex((_, start) => wanted.every((line, offset) => lines[start + offset] === line));
  return index < 0 ? undefined : index + 1;
}
