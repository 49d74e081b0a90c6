import { decodeEntities } from './entities.ts';

export type HtmlToken =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'open'; readonly name: string; readonly attributes: ReadonlyMap<string, string> }
  | { readonly type: 'close'; readonly name: string };

/** Elements whose content is no markup (HTML standard, raw text and escapable raw text). */
const rawText = new Set(['script', 'style', 'textarea', 'title', 'iframe', 'noembed', 'noframes', 'xmp']);

/** Splits a page into text and tags, entities decoded; comments and the like are left out. Time is linear in the length. */
export function* tokensOf(html: string): Generator<HtmlToken> {
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    const end = open < 0 ? html.length : open;
    if (end > at) yield textToken(html.slice(at, end));
    if (open < 0) return;
    const tag = tagAt(html, open);
    at = tag.end;
    if (!tag.token) continue;
    yield tag.token;
    if (tag.token.type !== 'open' || !rawText.has(tag.token.name)) continue;
    const rawEnd = endOfRawText(html, at, tag.token.name);
    if (rawEnd > at) yield textToken(html.slice(at, rawEnd));
    at = rawEnd;
  }
}

const textToken = (text: string): HtmlToken => ({ type: 'text', text: decodeEntities(text) });

function endOfRawText(html: string, from: number, name: string): number {
  const close = new RegExp(`</${name}`, 'gi');
  close.lastIndex = from;
  return close.exec(html)?.index ?? html.length;
}

/** The tag that begins at a `<`, and where the text after it begins; no token for comments and declarations. */
function tagAt(html: string, start: number): { token?: HtmlToken; end: number } {
  if (html.startsWith('<!--', start)) return { end: after(html, '-->', start + 4) };
  const next = html[start + 1];
  if (next === '!' || next === '?') return { end: after(html, '>', start) };
  const nameMatcher = /<(\/?)([a-zA-Z][^\s/>]*)/y;
  nameMatcher.lastIndex = start;
  const match = nameMatcher.exec(html);
  // A lone `<` is text.
  if (!match) return { token: { type: 'text', text: '<' }, end: start + 1 };
  const name = (match[2] ?? '').toLowerCase();
  const { attributes, end } = attributesFrom(html, nameMatcher.lastIndex);
  return { token: match[1] ? { type: 'close', name } : { type: 'open', name, attributes }, end };
}

function after(html: string, mark: string, from: number): number {
  const index = html.indexOf(mark, from);
  return index < 0 ? html.length : index + mark.length;
}

function attributesFrom(html: string, from: number): { attributes: Map<string, string>; end: number } {
  const attributes = new Map<string, string>();
  const matcher = /[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?/y;
  matcher.lastIndex = from;
  let end = from;
  for (let match = matcher.exec(html); match; match = matcher.exec(html)) {
    const [, name = '', doubleQuoted, singleQuoted, bare] = match;
    const key = name.toLowerCase();
    if (!attributes.has(key)) attributes.set(key, decodeEntities(doubleQuoted ?? singleQuoted ?? bare ?? ''));
    end = matcher.lastIndex;
  }
  return { attributes, end: after(html, '>', end) };
}
