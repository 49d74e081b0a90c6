const LONGEST_TEXT = 500;

/** What an error answer says that holds no error of any known form: its text, the title of a page, or that it is empty. */
export function plainMessage(status: number, text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return `upstream answered ${status} with an empty body`;
  if (!trimmed.startsWith('<')) return shortened(trimmed);
  const title = titleOf(trimmed);
  return `upstream answered ${status} with an HTML page${title ? `: ${title}` : ''}`;
}

function titleOf(page: string): string | undefined {
  const title = /<title[^<>]*>([^<]*)<\/title>/i.exec(page)?.[1] ?? /<h1[^<>]*>([^<]*)<\/h1>/i.exec(page)?.[1];
  return title && shortened(title.replace(/\s+/g, ' ').trim());
}

export const shortened = (text: string): string =>
  text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
