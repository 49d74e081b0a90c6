import type { MediaPart, OpaquePart, Origin, ReasoningPart, ToolCallPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { freeText } from '../custom-tools.ts';
import { withMembers } from '../members.ts';
import type { Emitter } from './emitter.ts';
import { carriedReasoning } from './foreign-reasoning.ts';
import { splitName } from './tool-names.ts';
import { objectsOf, ownBlock, textOf } from './wire.ts';

/** A part on its way to the client. Every method gives the SSE text of its events. */
export interface ShownPart {
  grow(delta: string): string;
  end(origin: Origin | undefined): string;
}

/** Where a part is shown: an item of the output with a number of its own. */
export interface Place {
  readonly index: number;
  readonly emitter: Emitter;
  /** An id for an item that the upstream gave none. */
  readonly mintedId: (prefix: string) => string;
  /** Puts the finished item into the response. */
  readonly keep: (item: JsonObject) => void;
}

export const added = ({ emitter, index }: Place, item: JsonObject): string =>
  emitter.emit('response.output_item.added', { output_index: index, item });

export function done({ emitter, index, keep }: Place, item: JsonObject): string {
  keep(item);
  return emitter.emit('response.output_item.done', { output_index: index, item });
}

/** Thinking: as a summary, which every client shows, unless the upstream streamed the thinking itself. */
export function showReasoning(part: ReasoningPart, place: Place): [opening: string, shown: ShownPart] {
  const { emitter, index } = place;
  const own = ownBlock(part.origin);
  const id = textOf(own?.id) || place.mintedId('rs');
  const isThinking = objectsOf(own?.content).length > 0;
  const at = { item_id: id, output_index: index, [isThinking ? 'content_index' : 'summary_index']: 0 };
  const names = isThinking ? THINKING : SUMMARY;
  const write = emitter.deltas(names.delta, at);
  let text = '';
  const grow = (delta: string): string => {
    if (delta === '') return '';
    const begin =
      text === '' ? emitter.emit(names.partAdded, withMembers(at, { part: { type: names.part, text: '' } })) : '';
    text += delta;
    return begin + write(delta);
  };
  const empty: JsonObject = isThinking ? { summary: [], content: [] } : { summary: [] };
  const opening = added(place, withMembers(own ?? {}, { id, type: 'reasoning', ...empty }));
  return [
    opening + grow(part.text),
    {
      grow,
      end(origin) {
        const whole = { type: names.part, text };
        const closing =
          text === ''
            ? ''
            : emitter.emit(names.done, withMembers(at, { text })) +
              emitter.emit(names.partDone, withMembers(at, { part: whole }));
        const last = origin ?? part.origin;
        const item = ownBlock(last) ?? {
          id,
          type: 'reasoning',
          summary: text === '' ? [] : [whole],
          encrypted_content: carriedReasoning(last),
        };
        return closing + done(place, withMembers(item, { id }));
      },
    },
  ];
}

const SUMMARY = {
  part: 'summary_text',
  partAdded: 'response.reasoning_summary_part.added',
  delta: 'response.reasoning_summary_text.delta',
  done: 'response.reasoning_summary_text.done',
  partDone: 'response.reasoning_summary_part.done',
} as const;

const THINKING = {
  part: 'reasoning_text',
  partAdded: 'response.content_part.added',
  delta: 'response.reasoning_text.delta',
  done: 'response.reasoning_text.done',
  partDone: 'response.content_part.done',
} as const;

/** A call that the client runs: a function's arguments grow, a custom tool's text comes whole. */
export function showCall(call: ToolCallPart, place: Place): [opening: string, shown: ShownPart] {
  const split = splitName(call.name);
  const own = ownBlock(call.origin);
  const isCustom = split.kind === 'custom';
  const id = textOf(own?.id) || place.mintedId(isCustom ? 'ctc' : 'fc');
  const names = isCustom ? CUSTOM : FUNCTION;
  const namespace = split.kind === 'function' ? split.namespace : undefined;
  const head = withMembers(own ?? {}, { id, type: names.item, call_id: call.id, name: split.name });
  if (namespace !== undefined) head.namespace = namespace;
  const at = { item_id: id, output_index: place.index };
  const write = place.emitter.deltas(names.delta, at);
  let input = '';
  const grow = (delta: string): string => {
    if (delta === '') return '';
    input += delta;
    return isCustom ? '' : write(delta);
  };
  const opening = added(place, withMembers(head, { [names.field]: '', status: 'in_progress' }));
  return [
    opening + grow(call.input),
    {
      grow,
      end(origin) {
        const whole = isCustom ? freeText(input) : input || '{}';
        const late = isCustom || input === '' ? write(whole) : '';
        const told = withMembers(at, { name: split.name, [names.field]: whole });
        const isCut = [own, ownBlock(origin)].some((block) => block?.status === 'incomplete');
        const item = withMembers(head, { [names.field]: whole, status: isCut ? 'incomplete' : 'completed' });
        return late + place.emitter.emit(names.done, told) + done(place, item);
      },
    },
  ];
}

const FUNCTION = {
  item: 'function_call',
  field: 'arguments',
  delta: 'response.function_call_arguments.delta',
  done: 'response.function_call_arguments.done',
} as const;

const CUSTOM = {
  item: 'custom_tool_call',
  field: 'input',
  delta: 'response.custom_tool_call_input.delta',
  done: 'response.custom_tool_call_input.done',
} as const;

/** The only media that answers of this format hold. */
export const isPicture = (part: MediaPart): boolean =>
  part.mediaType.startsWith('image/') && part.source.type === 'base64';

/** A picture as the item of the image tool: the upstream's own, or one like it where another format's model made it. */
export function showPicture(part: MediaPart, place: Place): [opening: string, shown: ShownPart] {
  const head = ownBlock(part.origin) ?? { id: place.mintedId('ig'), type: 'image_generation_call' };
  const whole = ownBlock(part.origin) ?? { ...head, status: 'completed', ...pictureFields(part) };
  return [
    added(place, { ...head, status: 'in_progress', result: null }),
    { grow: () => '', end: () => done(place, whole) },
  ];
}

const pictureFields = ({ mediaType, source }: MediaPart): JsonObject => ({
  result: source.type === 'base64' ? source.data : null,
  output_format: mediaType.slice('image/'.length),
});

/** An item of this format that came whole. */
export function showOpaque(part: OpaquePart, item: JsonObject, place: Place): [opening: string, shown: ShownPart] {
  const end = (origin: Origin | undefined): string => done(place, ownBlock(origin ?? part.origin) ?? item);
  return [added(place, item), { grow: () => '', end }];
}
