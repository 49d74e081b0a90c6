import type { Part, TextPart } from '../../model/content.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import type { EncodeTarget } from '../codec.ts';
import { foreignBlock } from '../foreign-block.ts';
import type { Ledger } from '../ledger.ts';
import { whyLeftOut } from '../left-out-text.ts';
import { LONGEST_ID, wireId } from '../openai-names.ts';
import type { WireNames } from '../wire-names.ts';
import { takenMedia } from './taken-media.ts';
import { ownBlock, textOf } from './wire.ts';

/** What writing a body goes by, and where it accounts for what it changes. */
export interface Writing {
  readonly target: EncodeTarget;
  readonly names: WireNames;
  readonly ledger: Ledger;
}

export const callId = (id: string, { target }: Writing): string =>
  target.toolCallId?.(id) ?? wireId(id, LONGEST_ID.chat);

/** The content parts of a message; thinking, calls and results have places of their own. */
export function contentBlocks(parts: readonly Part[], at: string, writing: Writing): JsonObject[] {
  const blocks: JsonObject[] = [];
  parts.forEach((part, index) => {
    const block = contentBlock(part, `${at}.content.${index}`, writing);
    if (block) blocks.push(block);
  });
  return blocks;
}

function contentBlock(part: Part, at: string, writing: Writing): JsonObject | undefined {
  switch (part.type) {
    case 'text':
      return textBlock(part, at, writing);
    case 'media':
      return takenMedia(part, at, writing.target, writing.ledger);
    case 'opaque': {
      const own = ownBlock(part.origin);
      if (own) return isObject(own.message) || isObject(own.audio) ? undefined : own;
      writing.ledger.dropped(at, foreignBlock(part.origin));
      return undefined;
    }
    case 'reasoning': {
      const own = ownBlock(part.origin);
      return own?.type === 'thinking' ? own : undefined;
    }
    default:
      return undefined;
  }
}

export function textBlock({ text, origin }: TextPart, at: string, writing: Writing): JsonObject | undefined {
  const { ledger, names } = writing;
  const own = ownBlock(origin);
  if (own) return own.content === undefined ? { ...own, text } : { type: 'text', text };
  const why = whyLeftOut(text);
  if (why !== undefined) {
    ledger.dropped(at, why);
    return undefined;
  }
  const block = origin?.block ?? {};
  // tool search names tools; the model must read the name under which it can call them
  const name = block.type === 'tool_reference' ? textOf(block.tool_name) : '';
  if (name === '') return { type: 'text', text };
  ledger.rewritten(at, 'what a tool search found is told in words');
  return { type: 'text', text: text.replace(name, names.of(name)) };
}
