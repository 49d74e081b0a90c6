import type { Finding, Severity } from './finding.ts';
import { withoutInvisible } from './invisible.ts';

/** Longer texts are judged by their beginning: patterns run over what a server wrote, and must end soon. */
const MOST_LENGTH = 20_000;
const EXCERPT_LENGTH = 200;

interface Rule {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  /** No repetition inside a repetition, and none without a limit beside another. */
  readonly pattern: RegExp;
}

const SECRETS =
  '(?:api[ _-]?keys?|passwords?|credentials|private keys?|ssh keys?|access tokens?|secrets?|environment variables|system prompt|(?:whole |entire |full |previous )?(?:conversation|chat)(?: history)?)';

/**
 * Instructions in a description that serve neither the tool nor its user (tool poisoning, shadowing, exfiltration: OWASP
 * MCP03; Invariant Labs, "MCP tool poisoning attacks").
 */
const RULES: readonly Rule[] = [
  {
    rule: 'chat-template',
    severity: 'high',
    message: "marks of a model's chat template",
    pattern:
      /<\|(?:im_start|im_end|system|endoftext|start_header_id)\|>|\[\/?INST\]|<<\/?SYS>>|\n\n(?:Human|Assistant|System):/,
  },
  {
    rule: 'overrides-instructions',
    severity: 'high',
    message: 'tells the model to drop its instructions',
    pattern:
      /\b(?:ignore|disregard|forget|override)\s+(?:all\s+|any\s+|every\s+|the\s+|your\s+|my\s+){0,3}(?:previous|prior|above|earlier|other|preceding|system|safety)\s+(?:instructions?|prompts?|rules|messages|guidelines|context)|ignoriere\s+(?:alle\s+)?(?:vorherigen|bisherigen|obigen)\s+(?:anweisungen|anleitungen)|ignor(?:ez|e)\s+(?:toutes\s+)?les\s+instructions\s+précédentes|ignora\s+(?:todas\s+)?las\s+instrucciones\s+anteriores|忽略(?:之前|以前|上述|先前)的?(?:所有)?(?:指令|指示|说明)|игнорируй(?:те)?\s+(?:все\s+)?предыдущие\s+инструкции/i,
  },
  {
    rule: 'hides-from-user',
    severity: 'high',
    message: 'tells the model to keep something from the user',
    pattern:
      /\b(?:do\s+not|don'?t|never|must\s+not|without)\s+(?:ever\s+)?(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|reveal(?:ing)?|notify(?:ing)?|disclos(?:e|ing)|show(?:ing)?|alert(?:ing)?|explain(?:ing)?)\s+(?:(?:this|that|it|anything|any of this|about this|of this|these steps)\s+)?(?:to\s+)?(?:the\s+|your\s+)?(?:user|human|person|operator)\b(?!\s+(?:if|when|unless|until|an? error))/i,
  },
  {
    rule: 'reads-credentials',
    severity: 'high',
    message: 'names files that hold credentials',
    pattern:
      /(?:~|\$HOME|%USERPROFILE%|\/home\/[\w.-]{1,64}|\/root)\/\.(?:ssh|aws|gnupg|kube|cursor|netrc|npmrc|docker|config\/gcloud|claude)\b|\bid_(?:rsa|ed25519|ecdsa)\b|\.aws\/credentials|\/etc\/shadow\b/i,
  },
  {
    rule: 'sends-secrets',
    severity: 'high',
    message: 'asks for secrets or the conversation in an argument',
    pattern: new RegExp(
      String.raw`\b(?:pass|send|include|put|forward|append|upload|attach|provide|submit|exfiltrate|leak)\b[^.!?\n]{0,60}\b${SECRETS}\b[^.!?\n]{0,60}\b(?:as|in|into|to|via)\b[^.!?\n]{0,30}(?:'\w{1,40}'|"\w{1,40}"|\x60\w{1,40}\x60|parameter|argument|field|side\s?note|context|https?:|webhook|url|server\b)`,
      'i',
    ),
  },
  {
    rule: 'shadows-tool',
    severity: 'medium',
    message: 'says how other tools are to be used',
    pattern:
      /\b(?:when(?:ever)?|if|before|after)\s+(?:you\s+)?(?:call|use|invoke|run|calling|using|invoking|running)\s+(?:any|all|every|each|another|other)\s+(?:other\s+)?tools?\b|\bwhen(?:ever)?\s+(?:the\s+)?[`'"]?\w{2,60}[`'"]?\s+(?:tool\s+|function\s+)?is\s+(?:called|used|invoked|available|present)\b|\bside[- ]?effects?\s+(?:of|on)\s+(?:the\s+)?[`'"]?\w{2,60}[`'"]?\s+tool\b/i,
  },
  {
    rule: 'demands-precedence',
    severity: 'medium',
    message: 'claims a place before every other tool',
    pattern:
      /\b(?:must|always|have to|required to)\s+(?:be\s+)?(?:call(?:ed)?|use(?:d)?|run|invoke(?:d)?)\s+(?:this\s+(?:tool|function)\s+)?(?:first|before\s+(?:any|all|every|doing|answering|responding|using))/i,
  },
  {
    rule: 'remote-image',
    severity: 'medium',
    message: 'an image whose address can carry data away',
    pattern: /!\[[^\]\n]{0,200}\]\(https?:\/\/[^)\s]{1,500}[?&][^)\s]{0,200}=[^)\s]{0,200}\)/,
  },
  {
    rule: 'out-of-view',
    severity: 'medium',
    message: 'text pushed out of view by white space',
    // looked for from what is hidden: from each blank of a long row it would be looked for a hundred times
    pattern: /(?<=[^\S\n]{120}|\n\s{40})\S/,
  },
];

/** Comments are seen by models and by no reader of the page. */
const COMMENTS: readonly (readonly [opens: string, closes: string])[] = [
  ['<!--', '-->'],
  ['[//]: #', '\n'],
  ['[comment]: ', '\n'],
];

/** What such a tag holds reads as if it came from above. As placeholders of arguments they stand alone and in lower case. */
const TAG =
  /<(\/?)(important|system|system[_-]?prompt|system[_-]?reminder|instructions?|hidden|secret|admin|developer|critical|assistant|override|prompt)(?:\s[^<>]{0,80})?>/gi;

/** Instructions that a text holds for the model behind the user's back, each rule once. */
export function instructionFindings(given: string, where: string): Finding[] {
  const text = withoutInvisible(given.slice(0, MOST_LENGTH), 'strip');
  const found = RULES.flatMap(({ pattern, ...rule }) => {
    const match = pattern.exec(text);
    return match ? [{ ...rule, where, excerpt: excerptOf(text, match.index) }] : [];
  });
  return [...found, ...tagFinding(text, where), ...commentFinding(text, where)];
}

function tagFinding(text: string, where: string): Finding[] {
  const tags = [...text.matchAll(TAG)];
  const closed = new Set(tags.filter((tag) => tag[1] === '/').map((tag) => tag[2]?.toLowerCase()));
  const injected = tags.find(([, slash, name = '']) => {
    const isShouted = name === name.toUpperCase();
    return slash === '' && (isShouted || closed.has(name.toLowerCase()));
  });
  if (!injected) return [];
  const message = 'a tag that makes its text look like orders from above';
  return [{ rule: 'injected-prompt', severity: 'high', message, where, excerpt: excerptOf(text, injected.index) }];
}

function commentFinding(text: string, where: string): Finding[] {
  for (const [opens, closes] of COMMENTS) {
    const at = text.indexOf(opens);
    if (at < 0) continue;
    const end = text.indexOf(closes, at + opens.length);
    const inside = text.slice(at + opens.length, end < 0 ? undefined : end).trim();
    if (inside === '') continue;
    const message = 'a comment, which readers of the page do not see';
    return [{ rule: 'hidden-comment', severity: 'medium', message, where, excerpt: excerptOf(text, at) }];
  }
  return [];
}

const excerptOf = (text: string, at: number): string =>
  text
    .slice(at, at + EXCERPT_LENGTH)
    .replace(/\s+/g, ' ')
    .trim();
