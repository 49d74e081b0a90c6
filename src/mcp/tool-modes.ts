import type { ToolMode } from '../config/schema.ts';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { BindingLevel } from './code-mode/files.ts';
import type { CatalogTool } from './contract.ts';
import { CODE_TOOLS, type MetaToolName, metaTool, SEARCH_TOOLS } from './meta-tools.ts';

/** What somebody may see, by how it is given to them. */
export interface GivenTools {
  /** In place of the visible tools: those of `direct` and `compact` clients, and the meta tools that stand for the rest. */
  readonly offered: readonly CatalogTool[];
  readonly byCode: readonly CatalogTool[];
  readonly bySearch: readonly CatalogTool[];
  /** Whose details can be asked for. */
  readonly detailed: readonly CatalogTool[];
}

const known = new WeakMap<readonly CatalogTool[], GivenTools>();

/** The same for the same array, which stays one until the catalog changes: prompts keep their bytes. */
export function givenTools(visible: readonly CatalogTool[], level: BindingLevel): GivenTools {
  let given = known.get(visible);
  if (!given) {
    given = givenOf(visible, level);
    known.set(visible, given);
  }
  return given;
}

const NONE: readonly CatalogTool[] = [];

function givenOf(visible: readonly CatalogTool[], level: BindingLevel): GivenTools {
  if (visible.every(({ mode }) => mode === undefined || mode === 'direct')) {
    return { offered: visible, byCode: NONE, bySearch: NONE, detailed: NONE };
  }
  const having = (...modes: readonly ToolMode[]) => visible.filter(({ mode }) => modes.includes(mode ?? 'direct'));
  const byCode = having('code');
  const bySearch = having('search');
  const detailed = having('search', 'compact_names');
  const meta = [
    ...(byCode.length > 0 ? CODE_TOOLS : []),
    ...SEARCH_TOOLS.filter((name) => (name === 'getToolDetails' ? detailed : bySearch).length > 0),
  ].map((name: MetaToolName) => metaTool(name, level));
  return { offered: [...visible.flatMap(shownTool), ...meta], byCode, bySearch, detailed };
}

function shownTool(tool: CatalogTool): CatalogTool[] {
  switch (tool.mode) {
    case 'code':
    case 'search':
      return [];
    case 'compact':
      return [compactTool(tool)];
    case 'compact_names':
      return [namedTool(tool)];
    default:
      return [tool];
  }
}

/** Names and types say much; descriptions are most of a catalog's length. */
function compactTool(tool: CatalogTool): CatalogTool {
  const { description: _, ...rest } = tool;
  const { description: __, ...definition } = tool.definition;
  const shape = (schema: JsonValue | undefined) => (isObject(schema) ? withoutDescriptions(schema) : undefined);
  const input = shape(definition.inputSchema);
  const output = shape(definition.outputSchema);
  return {
    ...rest,
    inputSchema: withoutDescriptions(tool.inputSchema),
    definition: { ...definition, ...(input && { inputSchema: input }), ...(output && { outputSchema: output }) },
  };
}

const OPEN_SCHEMA: JsonObject = { type: 'object', properties: {}, additionalProperties: true };

/** Only the name; `getToolDetails` has the rest. An output schema goes too, as its reader would check results by it. */
function namedTool(tool: CatalogTool): CatalogTool {
  const { description: _, ...rest } = tool;
  const { description: __, outputSchema: ___, ...definition } = tool.definition;
  return { ...rest, inputSchema: OPEN_SCHEMA, definition: { ...definition, inputSchema: OPEN_SCHEMA } };
}

const SCHEMA_MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);
const VALUES: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples', 'required']);

/** By position, so that a property which is called "description" stays. */
function withoutDescriptions(schema: JsonObject): JsonObject {
  const kept = Object.entries(schema).filter(([key, value]) => key !== 'description' || typeof value !== 'string');
  return Object.fromEntries(kept.map(([key, value]) => [key, VALUES.has(key) ? value : shortened(key, value)]));
}

function shortened(key: string, value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((each) => (isObject(each) ? withoutDescriptions(each) : each));
  if (!isObject(value)) return value;
  if (!SCHEMA_MAPS.has(key)) return withoutDescriptions(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, isObject(each) ? withoutDescriptions(each) : each]),
  );
}
