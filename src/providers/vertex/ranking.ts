import { GatewayError } from '../../model/errors.ts';
import type { JsonValue } from '../../model/json.ts';
import type { OperationPlace, OperationWire } from '../provider.ts';

/** Hosts of Vertex AI itself; with any other base URL, whoever stands there is asked for all of Google's APIs. */
const VERTEX_AI = /^https:\/\/(?:[\w-]+-)?aiplatform\.(?:\w+\.rep\.)?googleapis\.com\//;

/**
 * The Ranking API: it belongs to Discovery Engine, which has hosts of its own, and ranks in the key's project wherever
 * its models are (Vertex AI Search, ranking and reranking). A client may name another configuration than the default one.
 */
export const googleRankingWire: OperationWire = {
  format: 'vertex-rank',
  path: (_model, { payload: { fields } }, place) => {
    const config = rankingConfigOf(fields.ranking_config, projectOf(place));
    return `${hostOf(place, config)}/v1/${config}:rank`;
  },
  // whoever signs in as a person has no project that could be billed
  headers: (place) => ({ 'x-goog-user-project': projectOf(place) }),
};

function projectOf({ cloud }: OperationPlace): string {
  if (cloud?.project) return cloud.project;
  throw new GatewayError(
    'invalid-request',
    'vertex ranks in a project, and the key names none: set vertex_key_config.project_id',
    { provider: 'vertex' },
  );
}

const CONFIG_NAME = /^projects\/[\w.:-]+\/locations\/[\w-]+\/rankingConfigs\/[\w-]+$/;

/** An id, or a whole name. */
function rankingConfigOf(given: JsonValue | undefined, project: string): string {
  const name = given === undefined ? 'default_ranking_config' : String(given).replace(/:rank$/, '');
  if (CONFIG_NAME.test(name)) return name;
  if (/^[\w-]+$/.test(name)) return `projects/${project}/locations/global/rankingConfigs/${name}`;
  throw new GatewayError(
    'invalid-request',
    'ranking_config must be an id or projects/{project}/locations/{location}/rankingConfigs/{id}',
    { param: 'ranking_config' },
  );
}

/** Locations that span countries have hosts of their own (Vertex AI Search, locations). */
function hostOf({ baseUrl }: OperationPlace, config: string): string {
  if (!VERTEX_AI.test(`${baseUrl}/`)) return baseUrl.replace(/\/v\d\w*$/, '');
  const location = /\/locations\/(us|eu)\//.exec(config)?.[1];
  return `https://${location === undefined ? '' : `${location}-`}discoveryengine.googleapis.com`;
}
