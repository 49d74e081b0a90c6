/** A base URL without its trailing slash and its trailing `/v1`, which users write or not; the Anthropic SDK adds it. */
export const rootOf = (url: string): string => url.replace(/\/+$/, '').replace(/\/v1$/, '');

/** Where the google SDK finds a server: with `/v1beta` at its end unless it names another version. */
export function googleBaseUrl(given: string): string {
  const url = given.replace(/\/+$/, '').replace(/\/openai$/, '');
  return /\/v\d+\w*$/.test(url) ? url : `${url}/v1beta`;
}

/** Google names the model in the URL; tuned models have a folder of their own. */
export function googleModelPath(model: string): string {
  const name = model.split('/').map(encodeURIComponent).join('/');
  return /^(?:models|tunedModels)\//.test(name) ? name : `models/${name}`;
}

/** Ends in a version of its own, as `/v1`, `/api/paas/v4` or `/v1beta/openai` do, or in a folder that stands for one. */
const VERSIONED = /(\/compatibility)?\/v\d+\w*(\/openai)?$|\/serving-endpoints$/;

/** Where the openai SDK finds a server: with a version at its end, `/v1` unless the provider's own URL has another. */
export function openAiBaseUrl(given: string, usual = '/v1'): string {
  const url = given.replace(/\/+$/, '');
  const suffix = VERSIONED.exec(usual)?.[0] ?? '';
  return VERSIONED.test(url) ? url : `${url}${suffix}`;
}
