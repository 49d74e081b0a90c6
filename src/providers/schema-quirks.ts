import { type ToolSchemas, toolSchema } from '../codecs/schemas/tool-schema.ts';
import { isObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { Loss } from '../model/loss.ts';
import type { Quirk } from './quirks.ts';

/** Tools of bodies in this format already, whose schemas a server takes in a form of its own. */
export const derivesToolSchemas = (schemas: ToolSchemas): Quirk => ({
  // the tools alone are parsed for it, and their schemas are known from the turn before
  concerns: (source) => {
    const tools = source.member('tools');
    return derivedTools(tools, schemas, []) !== tools;
  },
  apply: (body, _model, report) => {
    const losses: Loss[] = [];
    const tools = derivedTools(body.tools, schemas, losses);
    for (const loss of losses) report(loss);
    return tools === body.tools ? body : { ...body, tools };
  },
});

/** The very same list where no tool changes. */
function derivedTools(tools: JsonValue | undefined, schemas: ToolSchemas, losses: Loss[]): JsonValue | undefined {
  if (!Array.isArray(tools)) return tools;
  const written = tools.map((tool, index) => derived(tool, schemas, `tools.${index}.function`, losses));
  return written.every((tool, index) => tool === tools[index]) ? tools : written;
}

function derived(tool: JsonValue, schemas: ToolSchemas, at: string, losses: Loss[]): JsonValue {
  if (!isObject(tool) || !isObject(tool.function)) return tool;
  const { function: definition } = tool;
  const { parameters, strict } = definition;
  const inputSchema: JsonObject = isObject(parameters) ? parameters : {};
  const places = { schema: `${at}.parameters`, strict: `${at}.strict` };
  const before = losses.length;
  const { schema, isStrict } = toolSchema({ inputSchema, strict: strict === true }, schemas, places, losses);
  // a derivation that changes nothing tells of nothing
  if (losses.length === before) return tool;
  return { ...tool, function: { ...definition, parameters: schema, ...(strict === true && { strict: isStrict }) } };
}
