import type { JsonObject } from '../../model/json.ts';
import type { Change } from './diff.ts';
import type { Finding } from './finding.ts';
import type { WhyHeld } from './judgement.ts';
import type { Pin } from './pins.ts';

/** What is to be known of one tool: it is held back, it changed, or something was found in it. */
export interface ToolNote {
  readonly clientId: string;
  readonly clientName: string;
  /** As the server names it. */
  readonly tool: string;
  readonly held?: WhyHeld;
  readonly difference?: 'changed' | 'new';
  /** Since when it is like this, as far as this process knows. */
  readonly since: string;
  /** Of the definition as it is now. */
  readonly hash: string;
  readonly definition: JsonObject;
  readonly pinned?: Pin;
  /** From the pinned definition to the present one. */
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  /** A tool that is gone and was the same in all but its name. */
  readonly renamedFrom?: string;
}

/** What the log is told after a look at a list. */
export interface News {
  readonly level: 'info' | 'warn';
  readonly text: string;
  readonly tool?: string;
}

/** Each thing once: when it begins, not at every list. */
export function newsOf(notes: readonly ToolNote[], last: readonly ToolNote[]): News[] {
  const told = new Set(last.map(keyOf));
  return notes
    .filter((note) => !told.has(keyOf(note)))
    .map((note) => ({ level: isGrave(note) ? 'warn' : 'info', text: sentenceOf(note), tool: note.tool }));
}

/** Names that a list had before and has no longer. */
export function goneNews(before: readonly string[], names: readonly string[]): News[] {
  const listed = new Set(names);
  const gone = before.filter((name) => !listed.has(name));
  return gone.length === 0 ? [] : [{ level: 'info', text: `no longer listed: ${gone.join(', ')}` }];
}

const isGrave = ({ held, difference, findings: [worst] }: ToolNote): boolean =>
  held !== undefined || difference !== undefined || worst?.severity === 'high';

const keyOf = ({ tool, hash, held, difference }: ToolNote): string => [tool, hash, held, difference].join('\n');

const HELD: Readonly<Record<WhyHeld, string>> = {
  'definition-changed': 'has another definition than when it was first seen',
  'tool-is-new': 'is new',
  'definition-flagged': 'holds hidden instructions',
};

function sentenceOf({ tool, held, difference, findings, renamedFrom }: ToolNote): string {
  const found = findings.map(({ rule, where, message }) => `${message} in ${where} (${rule})`).join('; ');
  const behind = `${renamedFrom === undefined ? '' : ` and is what '${renamedFrom}' was`}${found && `: ${found}`}`;
  if (held) return `tool '${tool}' is held back until it is released, as it ${HELD[held]}${behind}`;
  if (difference === 'changed') return `tool '${tool}' ${HELD['definition-changed']}${behind}`;
  return difference === 'new' ? `tool '${tool}' is new${behind}` : `tool '${tool}'${behind}`;
}
