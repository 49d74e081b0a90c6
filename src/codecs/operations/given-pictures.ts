import { isObject, type JsonValue } from '../../model/json.ts';
import type { Payload } from '../../model/operation.ts';
import type { Ledger } from '../ledger.ts';
import { blackAndWhite, type Transparency, transparencyOf, UnreadablePng } from './png.ts';
import { refuse } from './translation.ts';

/** A picture that a client gave: itself, or where it is. */
export type GivenPicture = { readonly mediaType: string; readonly base64: string } | { readonly url: string };

/** Fields of a request that hold pictures to be changed, and the part of them that may be (OpenAI API reference, images/edits). */
export const PICTURE_FIELDS = ['image', 'images', 'mask'] as const;

/** The pictures to be changed: files of a form, or `image` and `images` of a JSON body. Throws GatewayError. */
export const picturesToEdit = (payload: Payload): readonly GivenPicture[] => [
  ...givenAs(payload, 'image'),
  ...givenAs(payload, 'images'),
];

/**
 * The mask as a provider wants it: what is to be changed in white, or in black, where OpenAI's is transparent (OpenAI
 * API reference, images/edits). One without anything transparent is taken to be in the provider's form already.
 */
export function maskInColours(payload: Payload, changed: 'white' | 'black', ledger: Ledger): GivenPicture | undefined {
  const mask = maskIn(payload);
  const transparency = mask && 'base64' in mask ? transparencyIn(mask.base64) : undefined;
  if (!mask || !transparency) {
    if (mask)
      ledger.rewritten('mask', `sent as it came: here ${changed} is what is changed, and nothing is transparent`);
    return mask;
  }
  ledger.rewritten('mask', `what was transparent, and is to be changed, is ${changed} for this provider`);
  return { mediaType: 'image/png', base64: blackAndWhite(transparency, changed).toString('base64') };
}

function transparencyIn(base64: string): Transparency | undefined {
  try {
    return transparencyOf(Buffer.from(base64, 'base64'));
  } catch (thrown) {
    if (!(thrown instanceof UnreadablePng)) throw thrown;
    return refuse(
      'mask',
      `${thrown.message}, and has to be read to be put into this provider's form: send a PNG of 8 bits with an alpha channel, not interlaced`,
    );
  }
}

export const maskIn = (payload: Payload): GivenPicture | undefined => givenAs(payload, 'mask')[0];

function givenAs({ files, fields }: Payload, name: string): readonly GivenPicture[] {
  const inFiles = files
    .filter(({ field }) => field === name)
    .map(({ mediaType, bytes }) => {
      if (bytes.length === 0) refuse(name, 'is a file of no bytes');
      return { mediaType, base64: Buffer.from(bytes).toString('base64') };
    });
  const said = fields[name];
  const inFields = said === undefined || said === null || said === '' ? [] : Array.isArray(said) ? said : [said];
  return [...inFiles, ...inFields.map((value) => saidPicture(value, name))];
}

function saidPicture(value: JsonValue, field: string): GivenPicture {
  const url = addressIn(value);
  if (!url) {
    return refuse(field, 'must be a file of a form, an address or a data URL: this provider keeps no files');
  }
  const [, mediaType, base64] = /^data:([^;,]+)(?:;[^;,]+)*;base64,(.*)$/s.exec(url) ?? [];
  if (mediaType !== undefined && base64 !== undefined) return { mediaType, base64 };
  return ADDRESS.test(url) ? { url } : refuse(field, `must be a file of a form, or an address that begins with https`);
}

const ADDRESS = /^(?:https?|data):/i;

/** An address, or what holds one in the words of OpenAI's API: `image_url`, with or without a `url` inside. */
function addressIn(value: JsonValue | undefined): string | undefined {
  if (isObject(value)) return addressIn(value.image_url ?? value.url);
  return typeof value === 'string' ? value : undefined;
}

/** For providers that fetch nothing. Throws GatewayError('invalid-request'). */
export function dataOf(
  picture: GivenPicture,
  provider: string,
): { readonly mediaType: string; readonly base64: string } {
  return 'base64' in picture
    ? picture
    : refuse('image', `must be a file or a data URL: ${provider} fetches no pictures`);
}

/** For providers that fetch. */
export const urlOfPicture = (picture: GivenPicture): string =>
  'url' in picture ? picture.url : `data:${picture.mediaType};base64,${picture.base64}`;
