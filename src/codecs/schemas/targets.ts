import { derivation } from './derivation.ts';
import { inDraft2020 } from './draft.ts';
import { inlinesReferences } from './inline.ts';
import {
  arraysHaveItems,
  namesNotEmpty,
  requiredHasProperties,
  rootHasProperties,
  rootIsObject,
  rootNamesMatch,
  rootWithOnly,
  rootWithout,
} from './rules.ts';

// Each target's own form of a tool's schema, derived from what came and never from another target's. Google's two
// forms are in gemini.ts and gemini-json.ts; what `strict: true` asks for is in strict.ts.

/** One sound object, which Google's forms are made of. */
export const objectSchema = derivation(inDraft2020, rootIsObject);

/** OpenAI, both APIs: "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level". */
export const openAiSchema = derivation(
  inDraft2020,
  rootIsObject,
  rootHasProperties,
  rootWithout('OpenAI refuses it at the top', 'enum', 'const', 'not'),
  arraysHaveItems,
);

/** "Property keys should match pattern" (Anthropic's error). */
const CLAUDE_NAMES = /^[a-zA-Z0-9_.-]{1,64}$/;

/** Anthropic: draft 2020-12, and "input_schema does not support oneOf, allOf, or anyOf at the top level". */
export const anthropicSchema = derivation(inDraft2020, rootIsObject, rootNamesMatch(CLAUDE_NAMES));

/** Bedrock Converse: as Anthropic, most of whose models it serves; a document of AWS has no members without a name. */
export const bedrockSchema = derivation(inDraft2020, rootIsObject, rootNamesMatch(CLAUDE_NAMES), namesNotEmpty);

/** Amazon's Nova on Bedrock: three keywords at the top, so no definitions to refer to (Nova user guide, tool errors). */
export const novaSchema = derivation(
  inDraft2020,
  inlinesReferences,
  rootIsObject,
  rootHasProperties,
  namesNotEmpty,
  rootWithOnly('Nova knows type, properties and required at the top', 'type', 'properties', 'required'),
);

/** Servers of Chat Completions that check schemas as OpenAI does, or more narrowly. */
export const groqSchema = derivation(
  inDraft2020,
  rootIsObject,
  rootHasProperties,
  rootWithout('Groq refuses it at the top', 'enum', 'const', 'not'),
  arraysHaveItems,
  requiredHasProperties,
);

/** Mistral compiles schemas to a grammar, and stumbles over the names of schemas. */
export const mistralSchema = derivation(
  inDraft2020,
  rootIsObject,
  rootHasProperties,
  rootWithout('Mistral refuses it', '$schema', '$id'),
);
