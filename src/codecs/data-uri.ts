const BASE64 = ';base64,';

export const dataUriOf = (mediaType: string, data: string): string => `data:${mediaType}${BASE64}${data}`;

/** A `data:` URI in base64 taken apart; undefined for any other URL. No pattern: the data may be many megabytes. */
export function dataUri(url: string): { mediaType: string; data: string } | undefined {
  if (!url.startsWith('data:')) return undefined;
  const comma = url.indexOf(',');
  const head = url.slice(5, comma + 1);
  if (!head.endsWith(BASE64)) return undefined;
  return { mediaType: head.slice(0, head.length - BASE64.length).split(';')[0] ?? '', data: url.slice(comma + 1) };
}
