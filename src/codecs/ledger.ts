import type { Loss } from '../model/loss.ts';

/** The account of what writing a body changed. Fields are paths in the body that goes out. */
export class Ledger {
  readonly losses: Loss[] = [];

  dropped(field: string, reason: string): void {
    this.losses.push({ field, action: 'dropped', reason });
  }

  rewritten(field: string, reason: string): void {
    this.losses.push({ field, action: 'rewritten', reason });
  }

  invented(field: string, reason: string): void {
    this.losses.push({ field, action: 'invented', reason });
  }
}

/** Entries that differ in their reason only: more of them would tell nobody anything. */
const MOST_REASONS = 4;
/** Entries in all, whatever a client sends. */
const MOST_ENTRIES = 100;

/**
 * The same losses told once each: places become `*` where the same happened at several, with a count. A long
 * conversation has no longer account than a short one.
 */
export function compacted(losses: readonly Loss[]): readonly Loss[] {
  if (losses.length < 2) return losses;
  const entries = new Map<string, Loss>();
  const reasons = new Map<string, number>();
  for (const loss of losses) {
    const field = withoutPlaces(loss.field);
    const group = `${loss.action} ${field}`;
    let key = `${group} ${loss.reason}`;
    if (!entries.has(key)) {
      const known = reasons.get(group) ?? 0;
      if (known >= MOST_REASONS) key = group;
      else if (entries.size >= MOST_ENTRIES) key = loss.action;
      else reasons.set(group, known + 1);
    }
    const before = entries.get(key);
    entries.set(key, before ? together(before, loss, key === loss.action ? '*' : field) : loss);
  }
  return entries.size === losses.length ? losses : [...entries.values()];
}

function together(before: Loss, more: Loss, field: string): Loss {
  const count = (before.count ?? 1) + (more.count ?? 1);
  const reason = before.reason === more.reason ? before.reason : `${before.reason.replace(AND_OTHERS, '')}${OTHERS}`;
  return { field: before.field === more.field ? before.field : field, action: before.action, reason, count };
}

const OTHERS = '; and others like it';
const AND_OTHERS = /; and others like it$/;

/** `messages.3.content.1` and the older `messages[3].content` with a `*` for each place. */
const withoutPlaces = (field: string): string =>
  /[.[]\d/.test(field) ? field.replace(/\.\d+(?=\.|$)/g, '.*').replace(/\[\d+\]/g, '[*]') : field;
