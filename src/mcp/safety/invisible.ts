import type { Finding, Severity } from './finding.ts';

/**
 * Characters that a person does not see and a model reads: Unicode tags and runs of variation selectors (each can spell
 * a hidden text), bidi controls, zero-width characters, control characters. Writing needs many of them (emoji, Persian,
 * Hindi, Thai, Hebrew), so the same character is judged by what stands around it.
 */
const CANDIDATE = new RegExp(
  '[\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e' +
    '\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e0fff}]',
  'u',
);

/** Scripts that join and part their letters with U+200C and U+200D. */
const JOINING =
  '\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Nkoo}\\p{scx=Mong}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}\\p{scx=Taml}' +
  '\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}\\p{scx=Khmr}\\p{scx=Mymr}\\p{scx=Tibt}';

/** What is at home where it stands. */
const ORDINARY: readonly string[] = [
  // flags of England, Scotland and Wales, the only ones that Unicode recommends
  '\\u{1f3f4}\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}|\\u{e0073}\\u{e0063}\\u{e0074}|\\u{e0077}\\u{e006c}\\u{e0073})\\u{e007f}',
  // emoji made of several
  '(?<=[\\p{Extended_Pictographic}\\u{1f3fb}-\\u{1f3ff}\\ufe0f])\\u200d(?=\\p{Extended_Pictographic})',
  `(?<=[${JOINING}])[\\u200c\\u200d](?![\\u200b-\\u200d])`,
  // where words end, in scripts that leave no space
  '(?<=[\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}\\p{scx=Tibt}])\\u200b(?![\\u200b-\\u200d])',
  '(?<=[^\\s\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}])[\\ufe00-\\ufe0f](?![\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}])',
  '(?<=\\p{scx=Hani})[\\u{e0100}-\\u{e01ef}](?![\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}])',
  '(?<=\\p{scx=Mong})[\\u180b-\\u180f]',
  '^\\ufeff',
];

type Kind = 'tag' | 'selector' | 'override' | 'direction' | 'zero-width' | 'escape' | 'control';

/** In order: the first that matches names the kind. */
const KINDS: readonly (readonly [Kind, string])[] = [
  ['tag', '[\\u{e0000}-\\u{e007f}]+'],
  ['selector', '[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]+'],
  ['override', '[\\u202d\\u202e]'],
  ['direction', '[\\u061c\\u200e\\u200f\\u202a-\\u202c\\u2066-\\u2069]'],
  ['escape', '(?:\\x1b|\\x9b)\\[?[0-9;:?]{0,32}[@-~]?'],
  [
    'zero-width',
    '[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200d\\u2060-\\u2065\\u206a-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0080}-\\u{e0fff}]+',
  ],
  ['control', '[\\0-\\x08\\x0b\\x0c\\x0e-\\x1a\\x1c-\\x1f\\x7f-\\x9a\\x9c-\\x9f]+'],
];

const EVERY = new RegExp(
  [`(?<ordinary>${ORDINARY.join('|')})`, ...KINDS.map(([, pattern], index) => `(?<k${index}>${pattern})`)].join('|'),
  'gu',
);

const RIGHT_TO_LEFT = /[\p{scx=Hebr}\p{scx=Arab}\p{scx=Syrc}\p{scx=Thaa}\p{scx=Nkoo}]/u;
/** So many invisible characters spell something: a byte is eight of them. */
const SPELLING = 8;

interface Invisible {
  readonly kind: Kind;
  readonly text: string;
}

/** Whether a text may hold any: one pass, and all that most texts ever cost. */
const mayHideText = (text: string): boolean => CANDIDATE.test(text);

/** The text without what nobody can see, or with it written out as `\u{...}`; the same text where there is nothing. */
export function withoutInvisible(text: string, treatment: 'strip' | 'escape'): string {
  if (!mayHideText(text)) return text;
  return replaced(text, (found) => (treatment === 'strip' ? '' : escaped(found.text)));
}

/** Each character as `\u{...}`, for people to read. */
const escaped = (text: string): string =>
  [...text].map((each) => `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`).join('');

/** What a text hides, each kind once. */
export function invisibleFindings(text: string, where: string): Finding[] {
  if (!mayHideText(text)) return [];
  const byKind = new Map<Kind, string>();
  replaced(text, ({ kind, text: found }) => {
    byKind.set(kind, (byKind.get(kind) ?? '') + found);
    return '';
  });
  return [...byKind].map(([kind, found]) => ({ ...judged(kind, found), where }));
}

function replaced(text: string, replacement: (found: Invisible) => string): string {
  // writing from right to left needs its marks; overrides it does not need
  const isRightToLeft = RIGHT_TO_LEFT.test(text);
  return text.replace(EVERY, (match: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    if (groups.ordinary !== undefined) return match;
    const kind = KINDS.find((_, index) => groups[`k${index}`] !== undefined)?.[0] ?? 'control';
    return kind === 'direction' && isRightToLeft ? match : replacement({ kind, text: match });
  });
}

function judged(kind: Kind, found: string): Omit<Finding, 'where'> {
  const count = [...found].length;
  const shown = (decoded: string): string => (decoded ? `"${decoded.slice(0, 200)}"` : escaped(found.slice(0, 40)));
  const many: Severity = count >= SPELLING ? 'high' : 'low';
  switch (kind) {
    case 'tag':
      return finding('unicode-tags', 'high', `${count} invisible tag characters`, shown(tagText(found)));
    case 'selector':
      return finding('variation-selectors', many, `${count} loose variation selectors`, shown(selectorText(found)));
    case 'override':
      return finding('bidi-override', 'high', 'characters that turn the order of what is shown', escaped(found));
    case 'direction':
      return finding('bidi-control', 'low', 'direction marks in a text without any use for them', escaped(found));
    case 'escape':
      return finding('terminal-escape', 'high', 'escape sequences that hide text in a terminal', escaped(found));
    case 'zero-width':
      return finding('zero-width', many, `${count} zero-width characters`, escaped(found.slice(0, 40)));
    case 'control':
      return finding('control-characters', 'low', `${count} control characters`, escaped(found.slice(0, 40)));
  }
}

const finding = (rule: string, severity: Severity, message: string, excerpt: string): Omit<Finding, 'where'> => ({
  rule,
  severity,
  message,
  excerpt,
});

/** Tags mirror ASCII (Unicode, U+E0020 to U+E007E). */
const tagText = (tags: string): string =>
  [...tags]
    .map((tag) => (tag.codePointAt(0) ?? 0) - 0xe0000)
    .filter((code) => code >= 0x20 && code < 0x7f)
    .map((code) => String.fromCharCode(code))
    .join('');

/** Bytes 0 to 255 as the 256 variation selectors; empty when they are no text. */
function selectorText(selectors: string): string {
  const bytes = [...selectors].map((each) => {
    const code = each.codePointAt(0) ?? 0;
    return code >= 0xe0100 ? code - 0xe0100 + 16 : code - 0xfe00;
  });
  const text = Buffer.from(bytes).toString('utf8');
  return /^[\p{L}\p{N}\p{P}\p{S}\s]+$/u.test(text) ? text : '';
}
