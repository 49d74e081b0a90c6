import { ownValue } from '../../model/json.ts';

/** The few pages of a login, without scripts: they must work in whatever browser a link is opened with. */

export interface Field {
  readonly name: string;
  readonly label: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ownValue(ESCAPES, character) ?? character);

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#1a1a1a}
label{display:block;margin:1rem 0 .25rem}input{width:100%;padding:.5rem;font:inherit;box-sizing:border-box}
button{margin-top:1.5rem;padding:.6rem 1.4rem;font:inherit;cursor:pointer}.fault{color:#a00}.quiet{color:#555;font-size:.9rem}`;

export const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style></head><body><h1>${escaped(title)}</h1>${body}</body></html>`;

export const notice = (title: string, text: string): string => page(title, `<p>${escaped(text)}</p>`);

const WARNING =
  'Go on only if you were just told to open this page by a tool that you use yourself: what you connect here is used for whoever got the link.';

/** Before the browser is sent to the authorization server: who asks, and for what. */
export const consentPage = (client: string, server: string): string =>
  page(
    `Connect your account to ${client}`,
    `<p>This gateway will use tools of <strong>${escaped(server)}</strong> in your name. You log in there; the gateway never sees your password.</p>
<p class="quiet">${WARNING}</p><form method="post"><button type="submit">Continue to log in</button></form>`,
  );

/** `fault`: why what was submitted last was not taken. */
export const headersPage = (client: string, server: string, fields: readonly Field[], fault?: string): string =>
  page(
    `Your access to ${client}`,
    `<p>The tools of <strong>${escaped(server)}</strong> are called with your own values of these headers. They are kept by this gateway and shown to nobody but that server.</p>
${fault ? `<p class="fault" role="alert">${escaped(fault)}</p>` : ''}<p class="quiet">${WARNING}</p><form method="post" autocomplete="off">${fields.map(fieldOf).join('')}<button type="submit">Submit</button></form>`,
  );

const fieldOf = ({ name, label }: Field): string =>
  `<label for="${escaped(name)}">${escaped(label)}</label><input id="${escaped(name)}" name="${escaped(name)}" type="password" required autocomplete="off">`;
