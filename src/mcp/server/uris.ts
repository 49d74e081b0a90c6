const WRAPPED = /^bifrost:\/\/([^/]+)\/(.+)$/s;

/** A resource's URI that says whose it is. The original stands in it as it was, so that templates still expand. */
export const wrappedUri = (client: string, uri: string): string => `bifrost://${client}/${uri}`;

export function unwrappedUri(uri: string): { readonly client: string; readonly uri: string } | undefined {
  const [, client, original] = WRAPPED.exec(uri) ?? [];
  return client !== undefined && original !== undefined ? { client, uri: original } : undefined;
}

/**
 * Whether a URI can have come from a template (RFC 6570): what stands between its expressions is there, in order.
 * Generous, as the server that has the template decides; and linear in the URI, whatever the template.
 */
export function matchesTemplate(template: string, uri: string): boolean {
  const [first = '', ...rest] = template.split(/\{[^{}]*\}/);
  const last = rest.pop();
  if (last === undefined) return template === uri;
  if (!uri.startsWith(first) || !uri.endsWith(last) || uri.length < first.length + last.length) return false;
  let at = first.length;
  for (const literal of rest) {
    const found = uri.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  return at <= uri.length - last.length;
}
