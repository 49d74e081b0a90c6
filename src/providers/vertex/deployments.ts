import type { Deployment } from '../provider.ts';
import {
  adjustWith,
  completesToolSchemas,
  developerIsSystem,
  knowsFunctionsOnly,
  type Quirk,
  renames,
} from '../quirks.ts';
import { claudeAccess, googleAccess, openAiAccess } from './access.ts';
import { vertexModelPath } from './names.ts';
import { vertexOperations } from './operations.ts';

const shared = { name: 'vertex', keyVariables: [], keyless: true } as const;

/** Google's own models; a name of digits is an endpoint that serves a tuned one. */
const GEMINI: Deployment = {
  ...shared,
  speaks: ['gemini'],
  sdk: 'vertex-google',
  wire: {},
  chatPath: (_format, model, stream) =>
    `${vertexModelPath(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  modelsPath: 'publishers/google/models?pageSize=1000',
  operations: vertexOperations,
  access: googleAccess,
};

const CLAUDE: Deployment = {
  ...shared,
  speaks: ['anthropic-messages'],
  sdk: 'vertex-anthropic',
  // Bifrost asks for structured output by a tool here, and on the other clouds that serve Claude
  wire: { structuredOutput: false },
  takesBeta: takesBeta,
  access: claudeAccess,
};

const quirks: readonly Quirk[] = [
  renames('max_completion_tokens', 'max_tokens'),
  developerIsSystem,
  completesToolSchemas,
  knowsFunctionsOnly,
];

const inOpenAiFormat = (chatPath: (model: string, stream: boolean) => string): Deployment => ({
  ...shared,
  speaks: ['openai-chat'],
  sdk: 'vertex-openai',
  wire: { maxTokensField: 'max_tokens', functionsOnly: true },
  adjust: adjustWith(quirks),
  mayAdjust: (source, model) => quirks.some((quirk) => quirk.concerns(source, model)),
  chatPath: (_format, model, stream) => chatPath(model, stream),
  access: openAiAccess,
});

const MISTRAL = inOpenAiFormat(
  (model, stream) => `/publishers/mistralai/models/${model}:${stream ? 'streamRawPredict' : 'rawPredict'}`,
);

/** Llama and other partners' models as a service; they are named with their publisher: `meta/llama-3.3-70b-instruct-maas`. */
const OPEN_MODELS = inOpenAiFormat(() => '/endpoints/openapi/chat/completions');

/** Models of several vendors in one project. */
export const vertex: Deployment = { ...GEMINI, hosts: hostOf };

function hostOf(family: string): Deployment {
  if (/claude|anthropic/i.test(family)) return CLAUDE;
  if (/^(mistral|codestral|ministral|pixtral)/i.test(family)) return MISTRAL;
  if (/^google\//i.test(family)) return GEMINI;
  return family.includes('/') || /-maas$/i.test(family) ? OPEN_MODELS : GEMINI;
}

/** What Vertex knows of Anthropic's betas; it refuses a request for any other (Anthropic, Claude on Vertex AI). */
const BETAS =
  /^(interleaved-thinking|context-1m|context-management|computer-use|web-search|token-efficient-tools|output-128k|fine-grained-tool-streaming|tool-search-tool|tool-examples|compact|effort)-/;

function takesBeta(flag: string): boolean {
  return BETAS.test(flag);
}
