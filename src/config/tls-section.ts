import { z } from 'zod';
import { secret } from './secrets.ts';

/** `tls_config` of an MCP client: how its server proves who it is, and the gateway to it. */
export const tlsConfig = z
  .looseObject({
    insecure_skip_verify: z
      .boolean()
      .default(false)
      .describe('true: any certificate is taken, whatever ca_cert_pem says.'),
    ca_cert_pem: secret.optional().describe('Trusted beside the usual authorities.'),
    client_cert_pem: secret.optional().describe('Shown to servers that ask for a certificate.'),
    client_key_pem: secret.optional().describe('The key of client_cert_pem.'),
  })
  .refine((tls) => (tls.client_cert_pem === undefined) === (tls.client_key_pem === undefined), {
    path: ['client_key_pem'],
    message: 'client_cert_pem and client_key_pem go together: give both or neither',
  });

export type TlsConfig = z.output<typeof tlsConfig>;
