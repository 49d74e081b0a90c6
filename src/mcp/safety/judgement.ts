import type { ToolSafetyConfig } from '../../config/tool-safety-section.ts';
import type { Finding } from './finding.ts';
import type { Pin } from './pins.ts';

/** Why a tool is neither listed nor callable until an admin releases it. */
export type WhyHeld = 'definition-changed' | 'tool-is-new' | 'definition-flagged';

export interface Seen {
  readonly hash: string;
  readonly findings: readonly Finding[];
  /** What is pinned under this name. */
  readonly pin: Pin | undefined;
  /** The client's tools were pinned before, so that this one was not among them when it has no pin. */
  readonly isKnownClient: boolean;
  /** No room for another pin: a server that makes up names without end must not push others out. */
  readonly isFull: boolean;
}

export interface Judgement {
  readonly held?: WhyHeld;
  /** What is to be known of it, held or not. */
  readonly difference?: 'changed' | 'new';
  /** The definition is to be pinned as it is now. */
  readonly pins: boolean;
}

/** What becomes of one tool of a list. */
export function judged(seen: Seen, rules: ToolSafetyConfig): Judgement {
  const judgement = judgedByPin(seen, rules);
  const { pin, hash, findings } = seen;
  if (judgement.held !== undefined || rules.hidden_instructions !== 'hold') return judgement;
  const isReleased = pin?.released === true && pin.hash === hash;
  const isFlagged = findings.some(({ severity }) => severity === 'high');
  return isFlagged && !isReleased ? { ...judgement, held: 'definition-flagged' } : judgement;
}

function judgedByPin({ hash, pin, isKnownClient, isFull }: Seen, rules: ToolSafetyConfig): Judgement {
  if (pin?.hash === hash) return { pins: false };
  if (pin) {
    if (rules.changed_tools === 'hold') return { held: 'definition-changed', difference: 'changed', pins: false };
    // the pin stays while the change is only told, so that there is something to compare with
    return rules.changed_tools === 'warn' ? { difference: 'changed', pins: false } : { pins: true };
  }
  if (!isKnownClient && !isFull) return { pins: true };
  if (rules.new_tools === 'hold' || isFull) return { held: 'tool-is-new', difference: 'new', pins: false };
  return rules.new_tools === 'warn' ? { difference: 'new', pins: true } : { pins: true };
}
