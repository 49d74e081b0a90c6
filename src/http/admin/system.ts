import { type Request, type Response, Router } from 'express';
import type { Config } from '../../config/load.ts';
import type { ProviderConfig, ProviderKey } from '../../config/schema.ts';
import type { ProviderList, ShownProvider } from './contract.ts';
import { shownObject } from './redact.ts';

export interface SystemRoutes {
  readonly version: string;
  readonly config: () => Config;
}

export function systemRoutes({ version, config }: SystemRoutes): Router {
  const router = Router();
  router.get('/version', (_request: Request, response: Response) => {
    response.json({ version });
  });
  router.get('/config', (_request: Request, response: Response) => {
    response.json(shownObject(config()));
  });
  router.get('/providers', (_request: Request, response: Response) => {
    response.json(providersOf(config()));
  });
  return router;
}

function providersOf({ providers }: Config): ProviderList {
  const shown = Object.entries(providers).map(([name, provider]) => shownProvider(name, provider));
  return { providers: shown, total: shown.length };
}

function shownProvider(name: string, { keys, custom_provider_config: custom }: ProviderConfig): ShownProvider {
  return {
    name,
    keys: keys.map(shownKey),
    ...(custom && { base_provider_type: custom.base_provider_type }),
  };
}

const shownKey = (key: ProviderKey): ShownProvider['keys'][number] => ({
  ...(key.id !== undefined && { id: key.id }),
  name: key.name,
  ...(key.value.ref !== undefined && { reference: key.value.ref }),
  has_value: key.value.value !== '',
  ...(key.models && { models: [...key.models] }),
  blacklisted_models: [...key.blacklisted_models],
  weight: key.weight,
  enabled: key.enabled,
});
