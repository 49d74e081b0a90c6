/** Claude Code's first system block changes with every request, which spoils other providers' prompt caches. */
export const isBillingHeader = (text: string): boolean => text.startsWith('x-anthropic-billing-header:');

export const BILLING_HEADER_LEFT_OUT = 'a billing header of Anthropic, which changes with every request';

/** Why a text is left out of what other providers are sent; undefined for one that says something. */
export function whyLeftOut(text: string): string | undefined {
  if (isBillingHeader(text)) return BILLING_HEADER_LEFT_OUT;
  return text.trim() === '' ? 'a text without characters' : undefined;
}
