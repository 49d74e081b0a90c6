import { lookFor } from '../../model/marks.ts';
import { FOREIGN_REASONING_MARK } from './foreign-reasoning.ts';
import { gatewayIds } from './ids.ts';

/**
 * Whether a body may hold items in its input that only we write, so that it cannot travel as it came: calls that the
 * gateway ran, and thinking of models that speak another format. Searches, never parses.
 */
export const hasGatewayItems = lookFor(`"${gatewayIds.prefix}`, FOREIGN_REASONING_MARK);
