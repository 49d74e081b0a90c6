import type { Origin, TextPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import { type Citation, textCited, within } from '../citation.ts';
import { citationsOf } from '../citations.ts';
import { withMembers } from '../members.ts';
import { isRefusal } from './content.ts';
import type { Place, ShownPart } from './shown-parts.ts';
import { objectOf, objectsOf, ownBlock, textOf, without } from './wire.ts';

/** The message item of the upstream that a text came from; undefined for texts of other formats, which share one. */
export const messageIdOf = (part: TextPart): string | undefined => {
  const id = objectOf(ownBlock(part.origin)?.message).id;
  return typeof id === 'string' ? id : undefined;
};

/** A message item: neighbouring texts are its content parts. Nothing is open in it when it is closed. */
export class ShownMessage {
  /** The upstream's id, by which further texts are known to belong here. */
  readonly upstreamId: string | undefined;
  readonly #place: Place;
  readonly #id: string;
  readonly #fields: JsonObject;
  readonly #content: JsonObject[] = [];
  /** The texts of its content parts, one behind the other. */
  #text = '';
  readonly #begins: number[] = [];
  #open = 0;

  constructor(first: TextPart, place: Place) {
    this.#place = place;
    this.upstreamId = messageIdOf(first);
    this.#id = this.upstreamId ?? place.mintedId('msg');
    this.#fields = objectOf(ownBlock(first.origin)?.message);
  }

  get isOpen(): boolean {
    return this.#open > 0;
  }

  get text(): string {
    return this.#text;
  }

  start(): string {
    const item = this.#item('in_progress', []);
    return this.#place.emitter.emit('response.output_item.added', { output_index: this.#place.index, item });
  }

  add(part: TextPart): [opening: string, shown: ShownPart] {
    const { emitter, index } = this.#place;
    const names = isRefusal(part) ? REFUSAL : TEXT;
    const at = { item_id: this.#id, output_index: index, content_index: this.#content.length };
    this.#content.push({});
    this.#begins.push(this.#text.length);
    this.#open += 1;
    const write = emitter.deltas(names.delta, names === TEXT ? withMembers(at, { logprobs: [] }) : at);
    let text = '';
    const grow = (delta: string): string => {
      if (delta === '') return '';
      text += delta;
      this.#text += delta;
      return write(delta);
    };
    const opening = emitter.emit('response.content_part.added', withMembers(at, { part: names.empty }));
    return [
      opening + grow(part.text),
      {
        grow,
        end: (origin) => {
          const whole = finishedContent(text, names, origin ?? part.origin);
          this.#content[at.content_index] = whole;
          this.#open -= 1;
          const annotations = objectsOf(whole.annotations).map((annotation, annotation_index) =>
            emitter.emit('response.output_text.annotation.added', { ...at, annotation_index, annotation }),
          );
          const done = withMembers(at, names === TEXT ? { text, logprobs: whole.logprobs } : { refusal: text });
          return (
            annotations.join('') +
            emitter.emit(names.done, done) +
            emitter.emit('response.content_part.done', withMembers(at, { part: whole }))
          );
        },
      },
    ];
  }

  /**
   * A page for a place in its texts, which the end of an answer told. A message that is closed takes it too: the
   * response holds it to its last event.
   */
  cite(citation: Citation): string {
    const { emitter, index } = this.#place;
    const content_index = textCited(this.#begins, citation);
    const content = this.#content[content_index];
    if (!content || content.type !== TEXT.empty.type) return '';
    const [begin, annotations] = [this.#begins[content_index] ?? 0, objectsOf(content.annotations)];
    const annotation = urlCitation(within(citation, begin, textOf(content.text).length));
    this.#content[content_index] = { ...content, annotations: [...annotations, annotation] };
    const at = { item_id: this.#id, output_index: index, content_index, annotation_index: annotations.length };
    return emitter.emit('response.output_text.annotation.added', { ...at, annotation });
  }

  close(status: 'completed' | 'incomplete'): string {
    const { emitter, index, keep } = this.#place;
    const item = this.#item(status, this.#content);
    keep(item);
    return emitter.emit('response.output_item.done', { output_index: index, item });
  }

  #item(status: string, content: JsonObject[]): JsonObject {
    return withMembers(this.#fields, { id: this.#id, type: 'message', status, role: 'assistant', content });
  }
}

interface ContentNames {
  readonly field: 'text' | 'refusal';
  readonly empty: JsonObject;
  readonly delta: string;
  readonly done: string;
}

const TEXT: ContentNames = {
  field: 'text',
  empty: { type: 'output_text', annotations: [], logprobs: [], text: '' },
  delta: 'response.output_text.delta',
  done: 'response.output_text.done',
};

const REFUSAL: ContentNames = {
  field: 'refusal',
  empty: { type: 'refusal', refusal: '' },
  delta: 'response.refusal.delta',
  done: 'response.refusal.done',
};

/** The content part with its text, and with the citations and probabilities of an upstream of this format. */
function finishedContent(text: string, { empty, field }: ContentNames, origin: Origin | undefined): JsonObject {
  const own = ownBlock(origin);
  const kept = own && own.type === empty.type ? without(own, 'message') : citing(origin, text);
  return withMembers(empty, { ...kept, [field]: text });
}

/** Pages that an upstream of another format names. */
function citing(origin: Origin | undefined, text: string): JsonObject | undefined {
  const annotations = citationsOf(origin, text.length).map(urlCitation);
  return annotations.length > 0 ? { annotations } : undefined;
}

const urlCitation = ({ url, title, start, end }: Citation): JsonObject => ({
  type: 'url_citation',
  url,
  title,
  start_index: start,
  end_index: end,
});
