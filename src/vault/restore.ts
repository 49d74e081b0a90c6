import type { Part, TextPart, ToolCallPart } from '../model/content.ts';
import { inputDigest, isOnlyState, stateOf, withoutState } from './state.ts';

/** A call of a remembered turn: its state, and what tells that the client gave it back unchanged. */
interface KeptCall {
  readonly type: 'tool-call';
  readonly name: string;
  readonly inputDigest: string;
  readonly origin?: ToolCallPart['origin'];
}

/** A text of a remembered turn: only signed ones are kept in full. */
interface KeptText {
  readonly type: 'text';
  readonly signed?: TextPart;
}

interface KeptState {
  readonly type: 'state';
  readonly part: Part;
}

/** What a turn left behind that its own model wants to see again, in the order in which it was written. */
export type KeptPart = KeptState | KeptCall | KeptText;

/** Undefined when a turn carries no state. */
export function keptParts(parts: readonly Part[]): KeptPart[] | undefined {
  if (!parts.some((part) => stateOf(part) !== '')) return undefined;
  return parts.flatMap((part): KeptPart[] => {
    if (isOnlyState(part)) return [{ type: 'state', part }];
    if (part.type === 'text') return [stateOf(part) === '' ? { type: 'text' } : { type: 'text', signed: part }];
    return part.type === 'tool-call' ? [keptCall(part)] : [];
  });
}

function keptCall(call: ToolCallPart): KeptCall {
  const { name, input, origin } = call;
  const signed = stateOf(call) !== '' && origin ? { origin } : {};
  return { type: 'tool-call', name, inputDigest: inputDigest(input), ...signed };
}

/**
 * The turn as its model wrote it: state stands where it stood, what the client gave back keeps the client's form.
 * The very same parts when nothing was missing.
 */
export function withState(parts: readonly Part[], kept: readonly KeptPart[]): readonly Part[] {
  const said = parts.filter((part) => !isOnlyState(part));
  const merged: Part[] = [];
  for (const one of kept) {
    if (one.type === 'state') {
      merged.push(one.part);
      continue;
    }
    const at = said.findIndex((part) => part.type === one.type && (one.type === 'text' || isSameCall(part, one)));
    if (at < 0) continue;
    // what the client wrote between, it wrote there
    const [found, ...before] = said.splice(0, at + 1).reverse();
    merged.push(...before.reverse());
    if (found) merged.push(signedAs(found, one));
  }
  merged.push(...said);
  return sameState(parts, merged) ? parts : merged;
}

const isSameCall = (part: Part, { name }: KeptCall): boolean => part.type === 'tool-call' && part.name === name;

function signedAs(part: Part, kept: KeptCall | KeptText): Part {
  if (part.type === 'text' && kept.type === 'text') {
    return kept.signed && kept.signed.text.trim() === part.text.trim() ? kept.signed : part;
  }
  if (part.type !== 'tool-call' || kept.type !== 'tool-call' || !kept.origin || stateOf(part) !== '') return part;
  return inputDigest(part.input) === kept.inputDigest ? { ...part, origin: kept.origin } : part;
}

const sameState = (a: readonly Part[], b: readonly Part[]): boolean =>
  a.length === b.length && a.every((part, index) => stateOf(part) === stateOf(b[index] ?? part));

/** The turn as a model of another family may see it; the very same parts when it carries no state. */
export function foreignTurn(parts: readonly Part[]): readonly Part[] {
  if (!parts.some((part) => stateOf(part) !== '')) return parts;
  return parts.flatMap((part) => withoutState(part) ?? []);
}
