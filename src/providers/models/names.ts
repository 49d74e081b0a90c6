/**
 * The vendor's own name of a model, whoever serves it: routers and hosts put vendor and region before the name
 * (`anthropic/claude-sonnet-4`, `us.anthropic.claude-...`), and version or variant behind (`@20250929`, `-v1:0`, `[1m]`).
 */
export function bareName(model: string): string {
  const name = model
    .slice(model.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/^.*\banthropic\./, '')
    .replace(/^(?:[a-z]+\.)?(?:amazon|openai)\./, '')
    .replace(/\[\d+[mk]\]$/, '')
    .replace(/@(?:default|latest)$/, '')
    .replace('@', '-')
    .replace(/-v\d+(?::\d+)?$/, '');
  // OpenRouter and Bifrost write 4.6 for 4-6
  return name.startsWith('claude-') ? name.replaceAll('.', '-') : name;
}
