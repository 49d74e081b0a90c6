import { z } from 'zod';
import { secret } from './secrets.ts';

const credential = z.looseObject({
  value: secret.optional().describe('The key of an apiKey scheme, the token of a bearer or OAuth scheme.'),
  username: secret.optional().describe('Of HTTP basic.'),
  password: secret.optional().describe('Of HTTP basic.'),
});

const SOURCES = ['spec', 'spec_file', 'spec_url'] as const;

/** Where the OpenAPI document of a client is, and what its calls carry. */
export const openApiConfig = z
  .looseObject({
    spec: z
      .union([z.string().min(1), z.record(z.string(), z.unknown())])
      .optional()
      .describe('The document itself: JSON, or text of JSON or YAML.'),
    spec_file: z.string().min(1).optional().describe('Its path, relative to the app-dir.'),
    spec_url: secret.optional().describe('Its address; read again at each tool sync.'),
    base_url: secret.optional().describe('Where the API is, when the document does not say, or says it wrong.'),
    security_credentials: z
      .record(z.string(), credential)
      .default({})
      .describe("By the name of the document's security scheme."),
    include_deprecated: z.boolean().default(false).describe('Whether deprecated operations are tools too.'),
    max_response_bytes: z.number().int().positive().default(65_536).describe('Longer answers are cut.'),
  })
  .refine((config) => SOURCES.some((source) => config[source] !== undefined), {
    message: 'one of spec, spec_file or spec_url is required',
  });

export type OpenApiConfig = z.output<typeof openApiConfig>;
