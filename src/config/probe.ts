import type { Probe } from './detect.ts';

/** Any HTTP answer counts. node:http and node:https, because loading `fetch` would cost more than the question. */
export const probeHttp: Probe = async (url, timeoutMs) => {
  const { get } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    const request = get(url, { signal: AbortSignal.timeout(timeoutMs), agent: false }, (response) => {
      response.destroy();
      resolve(true);
    });
    request.on('error', () => resolve(false));
  });
};
