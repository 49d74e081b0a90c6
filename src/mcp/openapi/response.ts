import { type JsonObject, parsedObject } from '../../model/json.ts';

/** The answer of an API as the result of a tool. More than `maxBytes` of it is cut, and says so. */
export async function resultOf(response: Response, maxBytes: number): Promise<JsonObject> {
  const contentType = response.headers.get('content-type') ?? '';
  const { bytes, isCut } = await firstBytes(response, maxBytes);
  const content = isMedia(contentType) && !isCut ? mediaContent(contentType, bytes) : textContent(contentType, bytes);
  const note = isCut ? `\n[cut: the answer is longer than ${maxBytes} bytes]` : '';
  if (!response.ok) {
    const status = `HTTP ${response.status}${response.statusText ? ` ${response.statusText}` : ''}`;
    const text = 'text' in content && content.text !== '' ? `${status}: ${content.text}${note}` : status;
    return { content: [{ type: 'text', text }], isError: true };
  }
  if (content.type !== 'text') return { content: [content] };
  if (bytes.length === 0) return { content: [{ type: 'text', text: `HTTP ${response.status}, without content` }] };
  const structured = isCut ? undefined : objectOf(contentType, String(content.text));
  return {
    content: [{ ...content, text: `${content.text}${note}` }],
    ...(structured && { structuredContent: structured }),
  };
}

async function firstBytes(response: Response, maxBytes: number): Promise<{ bytes: Buffer; isCut: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body) {
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.byteLength;
      if (size <= maxBytes) continue;
      // Whatever else would come, nobody reads it.
      await reader.cancel().catch(() => undefined);
      return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), isCut: true };
    }
  }
  return { bytes: Buffer.concat(chunks), isCut: false };
}

const isMedia = (contentType: string): boolean => /^(?:image|audio)\//i.test(contentType);
const isText = (contentType: string): boolean =>
  contentType === '' || /^text\/|json|xml|yaml|javascript|x-www-form-urlencoded|graphql|csv/i.test(contentType);

const mediaContent = (contentType: string, bytes: Buffer): JsonObject => ({
  type: contentType.toLowerCase().startsWith('image/') ? 'image' : 'audio',
  data: bytes.toString('base64'),
  mimeType: contentType.split(';')[0]?.trim() ?? contentType,
});

/** A character that the cut went through is left out. */
const textContent = (contentType: string, bytes: Buffer): JsonObject => ({
  type: 'text',
  text: isText(contentType)
    ? bytes.toString('utf8').replace(/\uFFFD$/, '')
    : `[${bytes.length} bytes of ${contentType}, not shown]`,
});

function objectOf(contentType: string, text: string): JsonObject | undefined {
  return /json/i.test(contentType) ? parsedObject(text) : undefined;
}
