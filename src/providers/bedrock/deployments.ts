import type { Deployment } from '../provider.ts';
import { adjustWith, drops, type Quirk } from '../quirks.ts';
import { bedrockAccess, bedrockKey, mantleAccess, mantleClaudeAccess } from './access.ts';
import { bedrockOperations } from './operations.ts';

const shared = { name: 'bedrock', keyVariables: ['AWS_BEARER_TOKEN_BEDROCK'], keyless: true, wire: {} } as const;

/** Everything that Converse serves: Nova, Llama, Mistral, DeepSeek and the others. */
const CONVERSE: Deployment = {
  ...shared,
  speaks: ['bedrock-converse'],
  sdk: 'bedrock',
  access: bedrockAccess,
  readsKey: bedrockKey,
  operations: bedrockOperations,
};

/** Features of Anthropic's own API that Bedrock refuses to know (Anthropic, Claude on Amazon Bedrock). */
const quirks: readonly Quirk[] = [
  drops(
    'Bedrock has no such field',
    'container',
    'mcp_servers',
    'service_tier',
    'inference_geo',
    'speed',
    'safeguards',
  ),
];

/**
 * Claude goes over InvokeModel in Anthropic's own format, so that nothing of it is lost; a client that speaks Converse
 * is answered by Converse.
 */
const CLAUDE: Deployment = {
  ...CONVERSE,
  speaks: ['anthropic-messages', 'bedrock-converse'],
  takesBeta,
  adjust: adjustWith(quirks),
  mayAdjust: (source, model) => quirks.some((quirk) => quirk.concerns(source, model)),
};

/** What Bedrock knows of Anthropic's betas; it refuses a request for any other (Bedrock user guide, Claude Messages). */
const BETAS =
  /^(interleaved-thinking|context-1m|context-management|computer-use|token-efficient-tools|output-128k|output-300k|dev-full-thinking|fine-grained-tool-streaming|tool-search-tool|tool-examples|compact|effort)-/;

function takesBeta(flag: string): boolean {
  return BETAS.test(flag);
}

const isClaude = (family: string): boolean => /claude|anthropic/i.test(family);

/** Models of many vendors in one account. */
export const bedrock: Deployment = { ...CONVERSE, hosts: (family) => (isClaude(family) ? CLAUDE : CONVERSE) };

const MANTLE: Deployment = {
  ...shared,
  name: 'bedrock_mantle',
  speaks: ['openai-chat', 'openai-responses'],
  sdk: 'bedrock-openai',
  access: mantleAccess,
  readsKey: bedrockKey,
};

const MANTLE_CLAUDE: Deployment = {
  ...shared,
  name: 'bedrock_mantle',
  speaks: ['anthropic-messages'],
  sdk: 'bedrock-mantle',
  wire: { structuredOutput: false },
  access: mantleClaudeAccess,
  readsKey: bedrockKey,
  takesBeta,
};

/** Bedrock's newer endpoint: OpenAI's formats, and Claude in Anthropic's. */
export const bedrockMantle: Deployment = {
  ...MANTLE,
  keyVariables: [],
  hosts: (family) => (isClaude(family) ? MANTLE_CLAUDE : MANTLE),
};
