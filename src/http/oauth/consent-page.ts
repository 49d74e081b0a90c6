import type { GrantMode } from '../../model/oauth-grants.ts';
import { escaped, page } from '../admin/login-pages.ts';
import type { PendingConsent } from './authorization-server.ts';
import { isDocumentUrl } from './client-documents.ts';

/** Where the form goes, and where a page that was opened in Bifrost's own way is found. */
export const CONSENT_PATH = '/oauth/consent';

/** Who asks, for what, and as whom to let it in. `fault`: why what was submitted last was not taken. */
export function consentPage({ id, request }: PendingConsent, modes: readonly GrantMode[], fault?: string): string {
  const { client, redirectUri, resource } = request;
  return page(
    `${client.name} wants to connect`,
    `<p>It asks to list and call the MCP tools of this gateway at <strong>${escaped(resource)}</strong>. Its name is its own word for itself${publisherOf(client.clientId)}; you are sent back to <strong>${escaped(destinationOf(redirectUri))}</strong>.</p>
<p class="quiet">Go on only if you have just asked that program to connect.</p>
${fault ? `<p class="fault" role="alert">${escaped(fault)}</p>` : ''}${modes.map((mode) => FORMS[mode](id)).join('')}${form(id, '<button type="submit" name="decision" value="deny">Deny</button>')}`,
  );
}

/** What may be loaded, and where the forms may lead: back to the program, and nowhere else. */
export const consentPolicy = ({ request }: PendingConsent): string =>
  `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' ${sourceOf(request.redirectUri)}`;

const form = (flow: string, inside: string): string =>
  `<form method="post" action="${CONSENT_PATH}" autocomplete="off"><input type="hidden" name="flow" value="${escaped(flow)}">${inside}</form>`;

const FORMS: Readonly<Record<GrantMode, (flow: string) => string>> = {
  vk: (flow) =>
    form(
      flow,
      `<input type="hidden" name="mode" value="vk"><label for="virtual_key">Virtual key</label><input id="virtual_key" name="virtual_key" type="password" required autocomplete="off"><button type="submit" name="decision" value="allow">Allow with this virtual key</button>`,
    ),
  session: (flow) =>
    form(
      flow,
      `<input type="hidden" name="mode" value="session"><button type="submit" name="decision" value="allow">Allow without a virtual key</button>`,
    ),
};

/** Where a client is known from that has not registered: the one thing about it that was looked at. */
const publisherOf = (clientId: string): string =>
  isDocumentUrl(clientId) ? `, published at <strong>${escaped(new URL(clientId).host)}</strong>` : '';

/** What people know of an address: its host, or the scheme of a program. */
function destinationOf(redirectUri: string): string {
  const { protocol, host } = new URL(redirectUri);
  return protocol === 'https:' || protocol === 'http:' ? host : protocol;
}

function sourceOf(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri);
  return protocol === 'https:' || protocol === 'http:' ? origin : protocol;
}
