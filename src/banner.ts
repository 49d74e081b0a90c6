import type { LoadedConfig } from './config/load.ts';
import { type JsonObject, ownValue } from './model/json.ts';

export interface McpClientFact {
  readonly name: string;
  /** `healthy`, `connecting`, ... */
  readonly state: string;
  readonly toolCount: number;
}

/** What a starting gateway knows about itself. */
export interface BannerFacts {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly loaded: LoadedConfig;
  /** Whether a configured provider could be asked for a model; what stands in the way of others is warned of. */
  readonly isUsable: (provider: string) => boolean;
  readonly mcpClients: readonly McpClientFact[];
}

/** What a person who has just started the gateway needs next: addresses, what was found, and the commands to copy. */
export function bannerText(facts: BannerFacts): string {
  const url = urlOf(facts);
  const lines = [
    `Bifrost ${facts.version}`,
    '',
    `  Open       ${url}`,
    `  MCP        ${url}/mcp`,
    `  Config     ${facts.loaded.file ?? 'no config.json, so defaults'}`,
    ...providerLines(facts),
    ...mcpLines(facts.mcpClients),
    ...facts.loaded.warnings.map((warning) => `  Warning    ${warning}`),
    '',
    '  Claude Code through this gateway:',
    `    ${claudeCodeCommand(facts)}`,
    '  Its MCP tools in Claude Code:',
    `    ${mcpCommand(facts)}`,
    '',
  ];
  return lines.join('\n');
}

/** The same as one record for a JSON log. */
export function bannerRecord(facts: BannerFacts): JsonObject {
  const { loaded, version, mcpClients } = facts;
  const url = urlOf(facts);
  const providers = keyNames(facts);
  return {
    version,
    url,
    mcp: `${url}/mcp`,
    ...(loaded.file && { config: loaded.file }),
    providers: Object.fromEntries(providers),
    mcpClients: mcpClients.map(({ name, state, toolCount }) => ({ name, state, tools: toolCount })),
    notes: [...(providers.length === 0 ? [`providers: ${NO_PROVIDER.join(' ')}`] : []), ...loaded.notes],
    warnings: [...loaded.warnings],
    commands: [claudeCodeCommand(facts), mcpCommand(facts)],
  };
}

const claudeCodeCommand = (facts: BannerFacts): string =>
  `ANTHROPIC_BASE_URL=${urlOf(facts)}/anthropic ANTHROPIC_API_KEY=dummy-key claude --model ${exampleModel(facts)}`;

const mcpCommand = (facts: BannerFacts): string => `claude mcp add --transport http bifrost ${urlOf(facts)}/mcp`;

const NO_PROVIDER = [
  'none yet: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or another provider key, or',
  'start Ollama, and restart; or add "providers" to config.json',
] as const;

/** Where a browser on this machine finds us: `0.0.0.0` listens everywhere but is no address to open. */
function urlOf({ host, port }: BannerFacts): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return `http://localhost:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Each provider that can be used, with the names of its keys that hold something: keys are named, never shown. */
const keyNames = ({ loaded, isUsable }: BannerFacts): [provider: string, keys: string[]][] =>
  Object.entries(loaded.config.providers)
    .filter(([provider]) => isUsable(provider))
    .map(([provider, { keys }]) => [
      provider,
      keys.filter(({ enabled, value }) => enabled && !value.unset).map(({ name }) => name),
    ]);

function providerLines(facts: BannerFacts): string[] {
  const providers = keyNames(facts);
  if (providers.length === 0) return [`  Providers  ${NO_PROVIDER[0]}`, `             ${NO_PROVIDER[1]}`];
  const texts = providers.map(([provider, keys]) =>
    keys.length === 0 ? provider : `${provider} (${keys.join(', ')})`,
  );
  return [`  Providers  ${texts.join(', ')}`, ...facts.loaded.notes.map((note) => `             ${note}`)];
}

function mcpLines(clients: readonly McpClientFact[]): string[] {
  if (clients.length === 0) return ['  MCP tools  none; add servers under "mcp" in config.json'];
  const total = clients.reduce((sum, { toolCount }) => sum + toolCount, 0);
  const texts = clients.map(({ name, state, toolCount }) => `${name} ${state === 'healthy' ? toolCount : state}`);
  return [`  MCP tools  ${total} (${texts.join(', ')})`];
}

/** A model to start with where people have that provider: the names the published guides use. */
const EXAMPLE_MODELS: Readonly<Record<string, string>> = {
  anthropic: 'claude-sonnet-4-20250514',
  openai: 'gpt-4o',
  gemini: 'gemini-2.5-pro',
  groq: 'llama-3.3-70b-versatile',
  mistral: 'mistral-large-latest',
  ollama: 'llama3',
};

function exampleModel(facts: BannerFacts): string {
  const providers = keyNames(facts);
  for (const [provider] of providers) {
    const model = ownValue(EXAMPLE_MODELS, provider);
    if (model) return `${provider}/${model}`;
  }
  const first = providers[0]?.[0];
  return first ? `${first}/MODEL` : 'openai/gpt-4o';
}
