import type { ProviderKey } from '../../config/schema.ts';
import { familyOf } from '../../vault/family.ts';
import { dropsFromHistory } from '../message-quirks.ts';
import { openAiReasoning } from '../openai-reasoning.ts';
import { allOpenAiOperations } from '../operations/wires.ts';
import type { Deployment, OperationTable, OperationWire } from '../provider.ts';
import { adjustWith, completesToolSchemas, onlyFor, type Quirk, renames } from '../quirks.ts';
import { azureAccess, claudeAccess, DEFAULT_API_VERSION } from './access.ts';

/** Versions of the API without a date: its OpenAI-compatible surface, which names the model in the body. */
const UNDATED = /^(v\d+|latest|preview)$/i;

/** `max_completion_tokens` is known from here on (Azure OpenAI, API version lifecycle). */
const NEW_LIMIT_SINCE = '2024-09-01';

type Limit = 'max_tokens' | 'max_completion_tokens';

/** A deployment has a folder of its own in the dated versions. */
const deploymentFolder = (model: string): string => `/deployments/${encodeURIComponent(model)}`;
const undatedFolder = (): string => '/v1';

/** Deployments have names of their own: whatever does not name another maker may be OpenAI's. */
const mayBeOpenAis = (model: string): boolean => /^(openai at )?azure$/.test(familyOf('azure', model));

const noForeignThinking = dropsFromHistory(
  'a field of another provider, refused here',
  'reasoning_content',
  'reasoning_details',
  'reasoning',
  'extra_content',
  'images',
);

function openAiOn(folderOf: (model: string) => string, limit: Limit): Deployment {
  const quirks: readonly Quirk[] = [
    ...(limit === 'max_tokens' ? [renames('max_completion_tokens', 'max_tokens')] : []),
    ...openAiReasoning,
    completesToolSchemas,
    onlyFor(mayBeOpenAis, noForeignThinking),
  ];
  return {
    name: 'azure',
    speaks: ['openai-chat', 'openai-responses'],
    mostTools: 128,
    sdk: 'azure-openai',
    keyVariables: [],
    keyless: true,
    wire: { maxTokensField: limit },
    adjust: adjustWith(quirks),
    mayAdjust: (source, model) => quirks.some((quirk) => quirk.concerns(source, model)),
    // The Responses API is served on the undated surface only
    chatPath: (format, model) =>
      format === 'openai-responses' ? '/v1/responses' : `${folderOf(model)}/chat/completions`,
    operations: operationsBelow(folderOf),
    modelsPath: '/v1/models',
    access: azureAccess,
  };
}

/** Where the deployment stands in the path, operations do as chats; what the resource keeps is on the undated surface. */
const operationsBelow = (folderOf: (model: string) => string): OperationTable =>
  Object.fromEntries(
    Object.entries(allOpenAiOperations).map(([kind, wires]) => [
      kind,
      wires.map(
        (wire): OperationWire => ({
          ...wire,
          path: (model, request, place) =>
            `${request.forwarded ? '/v1' : folderOf(model)}${wire.path(model, request, place)}`,
        }),
      ),
    ]),
  );

const ON_OLD_VERSIONS = openAiOn(deploymentFolder, 'max_tokens');
const ON_DATED_VERSIONS = openAiOn(deploymentFolder, 'max_completion_tokens');
const UNDATED_SURFACE = openAiOn(undatedFolder, 'max_completion_tokens');

/** Claude is served in Anthropic's own format (Claude in Microsoft Foundry). */
const CLAUDE: Deployment = {
  name: 'azure',
  speaks: ['anthropic-messages'],
  sdk: 'azure-anthropic',
  keyVariables: [],
  keyless: true,
  wire: { structuredOutput: false },
  access: claudeAccess,
};

/** Models of OpenAI's API, and Claude, behind one endpoint. A key leads to a resource; models are its deployments. */
export const azure: Deployment = { ...ON_DATED_VERSIONS, hosts: hostOf };

function hostOf(family: string, { azure_key_config: config }: ProviderKey): Deployment {
  if (/claude|anthropic/i.test(family)) return CLAUDE;
  const version = config?.api_version?.value || DEFAULT_API_VERSION;
  if (UNDATED.test(version)) return UNDATED_SURFACE;
  return version < NEW_LIMIT_SINCE ? ON_OLD_VERSIONS : ON_DATED_VERSIONS;
}
