import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { TlsConfig } from '../config/tls-section.ts';
import { GatewayError } from '../model/errors.ts';
import { reasonOf } from './failures.ts';

/** Options of a TLS connection. */
export interface Trust {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/** Throws GatewayError('invalid-request') where a certificate or key cannot be read; what is unset counts as absent. */
export function trustOf(tls: TlsConfig): Trust {
  const { ca_cert_pem: ca, client_cert_pem: cert, client_key_pem: key } = tls;
  try {
    // what is no certificate would be passed over in silence
    if (ca?.value) new X509Certificate(ca.value);
    const secureContext = createSecureContext({
      // what is given here takes the place of Node's own list
      ...(ca?.value && { ca: [...rootCertificates, ca.value] }),
      ...(cert?.value && { cert: cert.value }),
      ...(key?.value && { key: key.value }),
    });
    return { secureContext, rejectUnauthorized: !tls.insecure_skip_verify };
  } catch (cause) {
    throw new GatewayError(
      'invalid-request',
      `tls_config cannot be used (${reasonOf(cause)}): its certificates and its key must be PEM text`,
      { cause },
    );
  }
}

/** Two configs with the same key may share connections. */
export const trustKey = (tls: TlsConfig): string =>
  JSON.stringify([
    tls.insecure_skip_verify,
    tls.ca_cert_pem?.value,
    tls.client_cert_pem?.value,
    tls.client_key_pem?.value,
  ]);
