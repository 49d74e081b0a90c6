import { z } from 'zod';

/** `mcp.api_clients`: who may change the gateway by its API can otherwise start any program and reach any address. */
export const apiClients = z.looseObject({
  allowed_commands: z
    .array(z.string().trim().min(1))
    .default(['*'])
    .describe(
      'What stdio clients made through the API may start: command lines begin with the words of an entry. ["*"] = anything, [] = nothing.',
    ),
  allow_private_addresses: z
    .boolean()
    .default(true)
    .describe('Whether clients made through the API may lead to this machine or to a private network.'),
  allowed_hosts: z
    .array(z.string())
    .default([])
    .describe('Hosts ("name" or "name:port") that they may lead to wherever those are.'),
});

export type ApiClientsConfig = z.output<typeof apiClients>;
