import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type StrictGateway, startStrictGateway } from './strict-gateway.ts';
import type { StrictAnswer } from './strict-server.ts';

/** A gateway in front of strict upstreams that give the answers of `script`, one request after another. */
export interface ScriptedStrict {
  /** Set by each test; what is left was not asked for. */
  script: StrictAnswer[];
  readonly url: string;
  readonly upstreams: StrictGateway['upstreams'];
}

/** One gateway for all tests of a file or a `describe`; each test begins with an empty script and upstreams that have heard nothing. */
export function scriptedStrict(config: Parameters<typeof startStrictGateway>[1]): ScriptedStrict {
  let strict: StrictGateway;
  const scripted = {
    script: [] as StrictAnswer[],
    get url() {
      return strict.gateway.url;
    },
    get upstreams() {
      return strict.upstreams;
    },
  };
  beforeAll(async () => {
    strict = await startStrictGateway(() => scripted.script.shift() ?? { text: 'beyond the script' }, config);
  });
  afterAll(() => strict.close());
  beforeEach(() => {
    scripted.script = [];
    for (const { accepted, refused } of Object.values(strict.upstreams)) {
      accepted.length = 0;
      refused.length = 0;
    }
  });
  return scripted;
}
