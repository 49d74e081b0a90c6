import type { RequestHandler } from 'express';

/** The page at `/`: where things are, and the commands to copy, for whoever opens the gateway in a browser. */
export const landingPage: RequestHandler = (request, response, next) => {
  if (request.path !== '/' || (request.method !== 'GET' && request.method !== 'HEAD')) return next();
  // the host has passed the Host check, and is escaped all the same
  const url = `http://${escaped(request.headers.host ?? 'localhost')}`;
  response.set({ 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'" });
  response.type('html').send(pageFor(url));
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const LINKS = [
  ['/api/mcp/clients', 'MCP servers and their tools'],
  ['/api/logs', 'log of requests'],
  ['/api/mcp-logs', 'log of tool runs'],
  ['/api/providers', 'providers'],
  ['/v1/models', 'models'],
  ['/metrics', 'metrics'],
] as const;

const pageFor = (url: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Bifrost</title>
<style>
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 4rem auto; padding: 0 1rem; color-scheme: light dark }
  pre { padding: 1rem; overflow-x: auto; border: 1px solid; border-radius: .4rem }
</style>
<h1>Bifrost is running</h1>
<p>Claude Code through this gateway:</p>
<pre>ANTHROPIC_BASE_URL=${url}/anthropic ANTHROPIC_API_KEY=dummy-key claude --model openai/gpt-4o</pre>
<p>Its MCP tools in Claude Code:</p>
<pre>claude mcp add --transport http bifrost ${url}/mcp</pre>
<p>SDKs: <code>${url}/v1</code> (OpenAI), <code>${url}/anthropic</code> (Anthropic), <code>${url}/genai</code> (Gemini).</p>
<ul>${LINKS.map(([path, what]) => `<li><a href="${path}">${path}</a> ${what}</li>`).join('')}</ul>
</html>
`;
