import { isObject } from '../../src/model/json.ts';
import { eventually } from '../support/gateway.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';

/** A gateway listens before its MCP servers have come up, which takes seconds where the machine is busy: waits for their tools. */
export async function toolsThere(gateway: GatewayProcess, count = 1): Promise<GatewayProcess> {
  const health = async (): Promise<unknown> => (await fetch(`${gateway.url}/health`)).json();
  await eventually(health, (body) => isObject(body) && Number(body.tools) >= count);
  return gateway;
}
