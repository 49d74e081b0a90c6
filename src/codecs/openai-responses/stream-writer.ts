import type { Origin, Part, TextPart, ToolCallPart } from '../../model/content.ts';
import type { StreamEvent } from '../../model/event.ts';
import type { JsonObject } from '../../model/json.ts';
import { textCited, within } from '../citation.ts';
import { citationsAtEnd } from '../citations-at-end.ts';
import type { AnswerHead } from '../codec.ts';
import { addMembers, withMembers } from '../members.ts';
import { isNative } from '../native-tools.ts';
import { isRefusal } from './content.ts';
import { addUpstreamFields, echoOf } from './echo.ts';
import { Emitter, MuteEmitter } from './emitter.ts';
import { statusFields } from './finish.ts';
import { itemId, responseId } from './ids.ts';
import { offersNative } from './native-tools.ts';
import { RepeatedRequest } from './repeated-request.ts';
import { messageIdOf, ShownMessage } from './shown-message.ts';
import { showNative } from './shown-native.ts';
import {
  isPicture,
  type Place,
  type ShownPart,
  showCall,
  showOpaque,
  showPicture,
  showReasoning,
} from './shown-parts.ts';
import { type ShownRun, showApproval, showClientSearch, showListing, showRun } from './shown-runs.ts';
import { CLIENT_SEARCH } from './tool-names.ts';
import { wireUsage } from './usage.ts';
import { CODEC, originOf, ownBlock } from './wire.ts';

export function encodeStream(head: AnswerHead): (event: StreamEvent) => string {
  const writer = new ResponseWriter(head);
  return (event) => writer.write(event);
}

type EventOf<Type extends StreamEvent['type']> = Extract<StreamEvent, { type: Type }>;

/**
 * Writes an answer as events, and keeps it as the snapshot that the last of them carries: clients take that for the
 * answer, so it is put together from the very items that were sent.
 */
export class ResponseWriter {
  /** The response as far as it has come; whole after `response-end`. */
  snapshot: JsonObject = {};
  readonly #head: AnswerHead;
  readonly #emitter: Emitter;
  /** Absent where the upstream's own fields stand among what it repeats. */
  #repeated: RepeatedRequest | undefined;
  readonly #output: JsonObject[] = [];
  readonly #shown = new Map<number, ShownPart>();
  readonly #runs = new Map<string, ShownRun>();
  #message: ShownMessage | undefined;
  /** All of them, also those that are closed. */
  readonly #messages: ShownMessage[] = [];
  #places = 0;
  #id = '';
  #tellsRefusal = false;

  constructor(head: AnswerHead, emitter = new Emitter()) {
    this.#head = head;
    this.#emitter = emitter;
  }

  write(event: StreamEvent): string {
    switch (event.type) {
      case 'part-delta':
        return this.#shown.get(event.index)?.grow(event.delta) ?? '';
      case 'part-start':
        return this.#startPart(event);
      case 'part-end':
        return this.#endPart(event);
      case 'response-start':
        return this.#start(event);
      case 'response-end':
        return this.#end(event);
    }
  }

  #start({ id, origin }: EventOf<'response-start'>): string {
    const own = ownBlock(origin);
    this.#id = responseId(id, this.#head.id, origin?.codec === CODEC);
    const echo = echoOf(this.#head);
    if (own) addUpstreamFields(echo, own, this.#head);
    else this.#repeated = new RepeatedRequest(echo);
    this.snapshot = withMembers(echo, {
      id: this.#id,
      object: 'response',
      created_at: createdAt(own, this.#head),
      model: this.#head.model,
      status: 'in_progress',
      incomplete_details: null,
      output: [],
      usage: null,
    });
    return this.#tell('response.created', 'response.in_progress');
  }

  /** The response as far as it has come, under each of the types. */
  #tell(...types: readonly string[]): string {
    if (this.#emitter instanceof MuteEmitter) return '';
    const { snapshot } = this;
    const { id, object, created_at, model, status, incomplete_details, output, usage } = snapshot;
    const said = { id, object, created_at, model, status, incomplete_details, output, usage };
    const response = this.#repeated?.with(said) ?? JSON.stringify(snapshot);
    return types.map((type) => this.#emitter.emitText(type, `{"response":${response}}`)).join('');
  }

  #startPart({ index, part }: EventOf<'part-start'>): string {
    if (part.type === 'text') return this.#startText(index, part);
    const before = this.#closeMessage();
    if (part.type === 'tool-call' && part.owner === 'gateway' && !isQuestion(part)) {
      const [opening, run] = showRun(part, this.#place(), () => this.#place());
      this.#runs.set(part.id, run);
      return before + opening;
    }
    if (part.type === 'tool-result')
      return before + this.#finishRun(part.callId, part.owner === 'gateway' ? part : undefined);
    const shown = this.#show(part);
    if (!shown) return before;
    this.#shown.set(index, shown[1]);
    return before + shown[0];
  }

  /** Undefined for what this format has no words for. */
  #show(part: Exclude<Part, TextPart>): readonly [opening: string, shown: ShownPart] | undefined {
    switch (part.type) {
      case 'reasoning':
        return showReasoning(part, this.#place());
      case 'tool-call':
        return this.#showCall(part);
      case 'media':
        return isPicture(part) ? showPicture(part, this.#place()) : undefined;
      case 'opaque': {
        const own = ownBlock(part.origin);
        if (own?.type === 'mcp_list_tools') return showListing(own, this.#place());
        return own && showOpaque(part, own, this.#place());
      }
      default:
        return undefined;
    }
  }

  #showCall(call: ToolCallPart): readonly [opening: string, shown: ShownPart] | undefined {
    if (isQuestion(call)) return showApproval(call, this.#place());
    if (call.owner === 'provider') return undefined;
    const own = ownBlock(call.origin);
    if (own && isNative(call.origin)) return showOpaque({ type: 'opaque', origin: originOf(own) }, own, this.#place());
    if (offersNative(this.#head.asked?.body, call.name)) return showNative(call, this.#place());
    return call.name === CLIENT_SEARCH ? showClientSearch(call, this.#place()) : showCall(call, this.#place());
  }

  #startText(index: number, part: TextPart): string {
    if (isRefusal(part)) this.#tellsRefusal = true;
    const known = this.#message;
    const continues = known !== undefined && (known.isOpen || known.upstreamId === messageIdOf(part));
    const before = continues ? '' : this.#closeMessage();
    const message = continues ? known : new ShownMessage(part, this.#place());
    this.#message = message;
    if (!continues) this.#messages.push(message);
    const started = continues ? '' : message.start();
    const [opening, shown] = message.add(part);
    this.#shown.set(index, shown);
    return before + started + opening;
  }

  #endPart({ index, origin }: EventOf<'part-end'>): string {
    const shown = this.#shown.get(index);
    this.#shown.delete(index);
    return shown?.end(origin) ?? '';
  }

  #finishRun(callId: string, result: Parameters<ShownRun['finish']>[0]): string {
    const run = result && this.#runs.get(callId);
    if (!run) return '';
    this.#runs.delete(callId);
    return run.finish(result);
  }

  /** The message item is done once something else begins, unless a text in it still grows. */
  #closeMessage(status: 'completed' | 'incomplete' = 'completed'): string {
    if (!this.#message || this.#message.isOpen) return '';
    const closed = this.#message.close(status);
    this.#message = undefined;
    return closed;
  }

  #end({ reason, usage, origin }: EventOf<'response-end'>): string {
    const { usage: theirs, ...own } = ownBlock(origin) ?? {};
    const status = statusFields(reason, this.#tellsRefusal);
    const unfinished = [...this.#shown.values()].map((shown) => shown.end(undefined)).join('');
    const unanswered = [...this.#runs.values()].map((run) => run.finish(undefined)).join('');
    this.#shown.clear();
    const cited = this.#citeAtEnd(origin);
    const closed = this.#closeMessage(status.status === 'incomplete' ? 'incomplete' : 'completed');
    if (ownBlock(origin)) this.#repeated = undefined;
    const { snapshot } = this;
    const { id, object, created_at, model } = snapshot;
    addUpstreamFields(snapshot, own, this.#head);
    addMembers(snapshot, { id, object, created_at, model, ...status });
    snapshot.output = this.#output.filter((item) => item !== undefined);
    snapshot.usage = wireUsage(usage, theirs);
    const type = status.status === 'incomplete' ? 'response.incomplete' : 'response.completed';
    return unfinished + unanswered + cited + closed + this.#tell(type);
  }

  /** Pages that another format tells at its end, each for the message that rests on it. */
  #citeAtEnd(origin: Origin | undefined): string {
    if (!origin || ownBlock(origin)) return '';
    const begins: number[] = [];
    let text = '';
    for (const message of this.#messages) {
      begins.push(text.length);
      text += message.text;
    }
    return citationsAtEnd(origin, text)
      .map((citation) => {
        const at = textCited(begins, citation);
        const message = this.#messages[at];
        return message?.cite(within(citation, begins[at] ?? 0, message.text.length)) ?? '';
      })
      .join('');
  }

  #place(): Place {
    const index = this.#places++;
    return {
      index,
      emitter: this.#emitter,
      mintedId: (prefix) => itemId(prefix, this.#id, index),
      keep: (item) => {
        this.#output[index] = item;
      },
    };
  }
}

/** Whether a call waits for the client's word on it. */
const isQuestion = ({ served }: ToolCallPart): boolean => served?.type === 'mcp' && served.approval?.type === 'asked';

/** Unix seconds. */
function createdAt(own: JsonObject | undefined, head: AnswerHead): number {
  if (typeof own?.created_at === 'number') return own.created_at;
  return Math.floor((head.createdAtMs ?? 0) / 1_000);
}
