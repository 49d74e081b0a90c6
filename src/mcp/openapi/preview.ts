import type { OpenApiConfig } from '../../config/openapi-section.ts';
import { isObject, type JsonObject } from '../../model/json.ts';
import { guardedFetch } from '../address-guard.ts';
import { addressRulesOf, baseOf, readSource } from './source.ts';
import { toolsOfDocument } from './tools.ts';

/** The text of a client's document, as it is where it comes from. Throws GatewayError. */
export async function documentText(config: OpenApiConfig, cwd: string): Promise<string> {
  const { text } = await reading(config, cwd);
  return text;
}

/** What a document would become, without a client of it. Throws GatewayError. */
export async function previewOf(config: OpenApiConfig, cwd: string): Promise<JsonObject> {
  const { text, document } = await reading(config, cwd);
  const options = { clientName: '', includeDeprecated: config.include_deprecated };
  const { tools, unsupported } = toolsOfDocument(document, options);
  const info = isObject(document.info) ? document.info : {};
  const { components } = document;
  return {
    title: info.title ?? '',
    version: info.version ?? '',
    openapi_version: document['x-swagger'] ?? document.openapi,
    base_url: baseIfAny(config, document),
    tools: tools.map(({ definition, operation: { method, path, deprecated } }) => ({
      ...definition,
      method,
      path,
      deprecated,
    })),
    tool_count: tools.length,
    unsupported: unsupported.map((each) => ({ ...each })),
    security_schemes: isObject(components) && isObject(components.securitySchemes) ? components.securitySchemes : {},
    ...(config.spec_url && { spec: text }),
  };
}

async function reading(config: OpenApiConfig, cwd: string) {
  const http = guardedFetch(addressRulesOf(config));
  try {
    return await readSource(config, { cwd, fetch: http.fetch });
  } finally {
    await http.close();
  }
}

function baseIfAny(config: OpenApiConfig, { servers }: JsonObject): string {
  try {
    return baseOf(config, servers);
  } catch {
    return '';
  }
}
