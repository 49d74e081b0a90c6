/** The whole text of an answer, of which no more than `mostBytes` is taken from the network. Throws what `tooLong` gives. */
export async function textWithin(
  { body }: Pick<Response, 'body'>,
  mostBytes: number,
  tooLong: () => Error,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    // leaving the loop cancels the rest
    if (size > mostBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
