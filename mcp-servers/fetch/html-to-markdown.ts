import { type Conversion, closeScope, endLine, isOnOneLine, openScope } from './conversion.ts';
import { closeTablePart, isTablePart, openTablePart } from './html-tables.ts';
import { type HtmlToken, tokensOf } from './html-tokens.ts';
import { MarkdownWriter } from './markdown-writer.ts';

/** What is not there to be read: code, controls, and the way round the site. */
const skipped = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'svg',
  'math',
  'iframe',
  'object',
  'canvas',
  'audio',
  'video',
  'map',
  'select',
  'textarea',
  'button',
  'nav',
  'footer',
  'head',
  'noembed',
  'noframes',
]);
const voidElements = new Set([
  'area',
  'base',
  'br',
  'col',
  'embed',
  'hr',
  'img',
  'input',
  'link',
  'meta',
  'source',
  'track',
  'wbr',
]);
const paragraphs = new Set([
  'p',
  'figure',
  'dl',
  'details',
  'fieldset',
  'main',
  'article',
  'section',
  'header',
  'aside',
]);
const lines = new Set([
  'div',
  'dt',
  'dd',
  'address',
  'form',
  'figcaption',
  'summary',
  'hgroup',
  'caption',
  'legend',
  'option',
  'body',
  'html',
]);
const emphases: Readonly<Record<string, string>> = {
  b: '**',
  strong: '**',
  i: '*',
  em: '*',
  code: '`',
  kbd: '`',
  samp: '`',
  tt: '`',
  del: '~~',
  s: '~~',
};

/** Each costs a look through the whole page. */
const maxUnclosed = 20;

type Attributes = ReadonlyMap<string, string>;

/** The page's words as markdown, its title first; links made absolute. */
export function htmlToMarkdown(html: string, url: URL): string {
  const tokens = [...tokensOf(html)];
  const page: Conversion = {
    tokens,
    writer: new MarkdownWriter(),
    scopes: [],
    unclosed: new Set(),
    base: baseOf(tokens, url),
    table: undefined,
  };
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token) index = convert(page, token, index);
  }
  const text = page.writer.finish();
  const title = titleOf(tokens);
  const isTitled = title === '' || text.startsWith(`# ${title}\n`) || text === `# ${title}`;
  return isTitled ? text : `Title: ${title}\n\n${text}`;
}

function baseOf(tokens: readonly HtmlToken[], url: URL): URL {
  const base = tokens.find((token) => token.type === 'open' && token.name === 'base');
  const href = base?.type === 'open' ? base.attributes.get('href') : undefined;
  return href && URL.canParse(href, url.href) ? new URL(href, url) : url;
}

function titleOf(tokens: readonly HtmlToken[]): string {
  const index = tokens.findIndex((token) => token.type === 'open' && token.name === 'title');
  const text = index < 0 ? undefined : tokens[index + 1];
  return text?.type === 'text' ? text.text.replace(/\s+/g, ' ').trim() : '';
}

/** Gives the index of the last token it used. */
function convert(page: Conversion, token: HtmlToken, index: number): number {
  switch (token.type) {
    case 'text':
      page.writer.text(page.table ? token.text.replaceAll('|', '\\|') : token.text);
      return index;
    case 'close':
      close(page, token.name);
      return index;
    case 'open':
      if (isSkipped(token)) return endOf(page, index, token.name) ?? index;
      if (token.name === 'pre') return convertPreformatted(page, index);
      open(page, token.name, token.attributes);
      return index;
  }
}

const isSkipped = ({ name, attributes }: { name: string; attributes: Attributes }): boolean =>
  skipped.has(name) || name === 'title' || (attributes.has('hidden') && !voidElements.has(name));

/** Index of the tag that closes the element opened at `index`; undefined when nothing does. */
function endOf(page: Conversion, index: number, name: string): number | undefined {
  if (page.unclosed.has(name) || page.unclosed.size >= maxUnclosed) return undefined;
  let depth = 0;
  for (let at = index; at < page.tokens.length; at++) {
    const token = page.tokens[at];
    if (token?.type === 'text' || token?.name !== name) continue;
    depth += token.type === 'open' ? 1 : -1;
    if (depth === 0) return at;
  }
  page.unclosed.add(name);
  return undefined;
}

function open(page: Conversion, name: string, attributes: Attributes): void {
  const { writer } = page;
  if (/^h[1-6]$/.test(name)) openHeading(page, Number(name[1]));
  else if (name === 'br') endLine(page, 1);
  else if (name === 'hr') writeAlone(page, '---');
  else if (name === 'a') openLink(page, attributes.get('href'));
  else if (name === 'img') writeImage(page, attributes);
  else if (name === 'ul' || name === 'ol')
    openList(page, name, Number.parseInt(attributes.get('start') ?? '1', 10) || 1);
  else if (name === 'li') openItem(page);
  else if (name === 'blockquote') openQuote(page);
  else if (isTablePart(name)) openTablePart(page, name);
  else if (Object.hasOwn(emphases, name)) writer.openMark(name, emphases[name] ?? '', emphases[name] ?? '');
  else if (paragraphs.has(name)) endLine(page, 2);
  else if (lines.has(name)) endLine(page, 1);
}

function close(page: Conversion, name: string): void {
  if (/^h[1-6]$/.test(name)) page.writer.dropLineStart();
  if (/^h[1-6]$/.test(name) || paragraphs.has(name)) endLine(page, 2);
  else if (lines.has(name)) endLine(page, 1);
  else if (name === 'a' || Object.hasOwn(emphases, name)) page.writer.closeMark(name);
  else if (isTablePart(name)) closeTablePart(page, name);
  else if (name === 'ul' || name === 'ol' || name === 'li' || name === 'blockquote') closeScope(page, name);
}

function openHeading(page: Conversion, level: number): void {
  endLine(page, 2);
  if (!isOnOneLine(page)) page.writer.lineStart(`${'#'.repeat(level)} `);
}

function writeAlone(page: Conversion, text: string): void {
  if (isOnOneLine(page)) return;
  endLine(page, 2);
  page.writer.literal(text);
  endLine(page, 2);
}

function openLink(page: Conversion, href: string | undefined): void {
  // A link inside a link closes it (HTML standard, tree construction).
  page.writer.closeMark('a');
  const url = absolute(page, href);
  if (url) page.writer.openMark('a', '[', `](${url})`);
}

/** undefined for what leads nowhere outside the page: fragments, scripts, data. */
function absolute(page: Conversion, reference: string | undefined): string | undefined {
  const trimmed = reference?.trim();
  if (!trimmed || trimmed.startsWith('#') || !URL.canParse(trimmed, page.base.href)) return undefined;
  const { href, protocol } = new URL(trimmed, page.base);
  // A bracket would end the markdown link too early.
  return ['http:', 'https:', 'mailto:'].includes(protocol)
    ? href.replace(/[()]/g, (one) => (one === '(' ? '%28' : '%29'))
    : undefined;
}

function writeImage(page: Conversion, attributes: Attributes): void {
  const description = (attributes.get('alt') ?? '').replace(/\s+/g, ' ').trim();
  const url = absolute(page, attributes.get('src'));
  // Without a description an image says nothing to a reader of text.
  if (description !== '') page.writer.literal(url ? `![${description}](${url})` : description);
}

function openList(page: Conversion, name: 'ul' | 'ol', first: number): void {
  endLine(page, 2);
  openScope(page, name, '', name === 'ol' ? first : undefined);
}

function openItem(page: Conversion): void {
  // The end tag of the item before may be left out.
  if (page.scopes.at(-1)?.name === 'li') closeScope(page, 'li');
  endLine(page, 1);
  if (isOnOneLine(page)) return;
  const list = page.scopes.at(-1);
  const marker = list?.next === undefined ? '- ' : `${list.next++}. `;
  page.writer.lineStart(marker);
  openScope(page, 'li', ' '.repeat(marker.length));
}

function openQuote(page: Conversion): void {
  endLine(page, 2);
  if (!isOnOneLine(page)) openScope(page, 'blockquote', '> ');
}

/** Everything up to the closing tag as a block of code, line for line. */
function convertPreformatted(page: Conversion, index: number): number {
  const end = endOf(page, index, 'pre') ?? page.tokens.length;
  const inside = page.tokens.slice(index, end);
  const text = inside.map((token) => (token.type === 'text' ? token.text : isLineBreak(token) ? '\n' : '')).join('');
  // A line feed right after the tag does not count (HTML standard, the pre element).
  const code = text.replace(/\r\n?/g, '\n').replace(/^\n/, '').trimEnd();
  if (isOnOneLine(page)) {
    page.writer.text(code);
  } else if (code !== '') {
    const fence = '`'.repeat(Math.max(3, ...(code.match(/`+/g) ?? []).map((run) => run.length + 1)));
    writeAlone(page, `${fence}${languageOf(inside)}\n${code}\n${fence}`);
  }
  return end;
}

const isLineBreak = (token: HtmlToken): boolean => token.type === 'open' && token.name === 'br';

/** `language-ts` or `lang-ts` on the block or on the code in it, as highlighters expect it. */
function languageOf(tokens: readonly HtmlToken[]): string {
  for (const token of tokens.slice(0, 4)) {
    const match =
      token.type === 'open' ? /(?:^|\s)lang(?:uage)?-([\w+#-]+)/.exec(token.attributes.get('class') ?? '') : undefined;
    if (match?.[1]) return match[1];
  }
  return '';
}
