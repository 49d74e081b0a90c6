import type { MediaPart, Part, TextPart } from '../../model/content.ts';
import type { JsonObject } from '../../model/json.ts';
import type { EncodeTarget } from '../codec.ts';
import { dataUriOf } from '../data-uri.ts';
import { foreignBlock } from '../foreign-block.ts';
import type { Ledger } from '../ledger.ts';
import { BILLING_HEADER_LEFT_OUT, isBillingHeader } from '../left-out-text.ts';
import { LONGEST_ID, wireId } from '../openai-names.ts';
import type { WireNames } from '../wire-names.ts';
import { isRefusal } from './content.ts';
import { objectOf, ownBlock, textOf } from './wire.ts';

/** What writing a body goes by, and where it accounts for what it changes. */
export interface Writing {
  readonly target: EncodeTarget;
  readonly names: WireNames;
  readonly ledger: Ledger;
  /** False when the provider stores nothing (`store: false`): then only encrypted thinking can go back. */
  readonly isStored: boolean;
  /** True when the conversation continues one that the provider has, so that calls may stand there. */
  readonly continues: boolean;
}

/** At most 64 characters: longer ones are refused. */
export const callId = (id: string, { target }: Writing): string =>
  target.toolCallId?.(id) ?? wireId(id, LONGEST_ID.responses);

/** Content parts of a system or user message, or of a tool's output. */
export function inputParts(parts: readonly Part[], at: string, writing: Writing): JsonObject[] {
  return parts
    .map((part, index) => inputPart(part, `${at}.${index}`, writing.ledger))
    .filter((block) => block !== undefined);
}

function inputPart(part: Part, at: string, ledger: Ledger): JsonObject | undefined {
  switch (part.type) {
    case 'text':
      return inputText(part, at, ledger);
    case 'media':
      return contentOf(part.origin) ?? wireMedia(part, at, ledger);
    case 'opaque': {
      const own = contentOf(part.origin);
      if (!own) ledger.dropped(at, foreignBlock(part.origin));
      return own;
    }
    default:
      ledger.dropped(at, `a part of kind ${part.type} has no place here`);
      return undefined;
  }
}

/** The content part of this format that a part came from. */
function contentOf(origin: Part['origin']): JsonObject | undefined {
  const own = ownBlock(origin);
  if (!own) return undefined;
  const { message: _fields, ...content } = own;
  return content;
}

function inputText({ text, origin }: TextPart, at: string, ledger: Ledger): JsonObject | undefined {
  const own = contentOf(origin);
  if (own?.type !== undefined) return { ...own, text };
  if (isBillingHeader(text)) {
    ledger.dropped(at, BILLING_HEADER_LEFT_OUT);
    return undefined;
  }
  if (origin?.block.type === 'tool_reference') ledger.rewritten(at, 'what a tool search found is told in words');
  if (text !== '') return { type: 'input_text', text };
  ledger.dropped(at, 'a text without characters');
  return undefined;
}

/** A part of what the assistant said. */
export function outputText(part: TextPart): JsonObject {
  const own = contentOf(part.origin);
  if (own && isRefusal(part)) return { ...own, refusal: part.text };
  if (own?.type !== 'output_text') return { annotations: [], type: 'output_text', text: part.text };
  return { annotations: [], ...own, text: part.text };
}

function wireMedia(part: MediaPart, at: string, ledger: Ledger): JsonObject | undefined {
  const { source, mediaType, name } = part;
  const isImage = mediaType.startsWith('image/');
  switch (source.type) {
    case 'text':
      if (name !== undefined) ledger.dropped(`${at}.title`, 'a text part has no title');
      ledger.rewritten(`${at}.source`, 'documents of text are told as text');
      return { type: 'input_text', text: source.text };
    case 'file':
      ledger.dropped(at, 'a file id of another provider means nothing to this one');
      return undefined;
    case 'url':
      if (name !== undefined) ledger.dropped(`${at}.filename`, 'what is told by its address has no name');
      if (!isImage) ledger.dropped(`${at}.mimeType`, 'a file at an address is sent without its type');
      return isImage
        ? { type: 'input_image', detail: detailOf(part, at, ledger), image_url: source.url }
        : { type: 'input_file', file_url: source.url };
    case 'base64':
      if (isImage) {
        if (name !== undefined) ledger.dropped(`${at}.filename`, 'pictures have no name');
        const known = mediaType === 'image/*' ? 'image/png' : mediaType;
        if (known !== mediaType) ledger.invented(`${at}.media_type`, 'the image did not say its type');
        return {
          type: 'input_image',
          detail: detailOf(part, at, ledger),
          image_url: dataUriOf(known, source.data),
        };
      }
      if (mediaType.startsWith('audio/')) {
        ledger.dropped(at, 'the Responses API takes no audio, and is told so');
        return { type: 'input_text', text: `[${mediaType} left out: this API takes none]` };
      }
      if (name === undefined) ledger.invented(`${at}.filename`, 'the API takes no file without a name');
      return {
        type: 'input_file',
        filename: name ?? `document.${mediaType.slice(mediaType.indexOf('/') + 1).replace(/[^a-z0-9]/gi, '_')}`,
        file_data: dataUriOf(mediaType, source.data),
      };
  }
}

/** How closely the model looks, which this API wants to be told. */
function detailOf({ origin }: MediaPart, at: string, ledger: Ledger): string {
  const given = origin?.codec === 'openai-chat' ? textOf(objectOf(origin.block.image_url).detail) : '';
  if (given === '') ledger.invented(`${at}.detail`, 'the API wants to be told how closely the model looks');
  return given || 'auto';
}
