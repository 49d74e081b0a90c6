import { type Request, type Response, Router } from 'express';
import { diffText } from '../../mcp/safety/diff.ts';
import type { ToolNote } from '../../mcp/safety/tool-note.ts';
import { type Released, type ReviewedTool, type ReviewedTools, releaseRequest } from './contract.ts';
import { adminError } from './errors.ts';
import { reviewQuery } from './query-contract.ts';

/** What is known of the definitions of tools, and the way to let held ones pass. */
export interface DefinitionReviews {
  readonly notes: readonly ToolNote[];
  release(clientId: string, tool?: string, hash?: string): Promise<readonly string[]>;
}

export interface McpSafetyRoutes {
  readonly safety: DefinitionReviews;
}

/** Tools that are held back, have changed or hide something in their definitions; and their release. */
export function mcpSafetyRoutes({ safety }: McpSafetyRoutes): Router {
  const router = Router();
  router.get('/mcp/safety/tools', ({ query }: Request, response: Response) => {
    const { client_id, held } = reviewQuery.parse(query);
    const tools = safety.notes
      .filter((note) => (client_id === undefined || note.clientId === client_id) && (!held || note.held !== undefined))
      .map(reviewedTool);
    const body: ReviewedTools = {
      tools,
      count: tools.length,
      held_count: tools.filter((tool) => tool.held !== undefined).length,
    };
    response.json(body);
  });
  router.post('/mcp/safety/release', async ({ body }: Request, response: Response) => {
    const parsed = releaseRequest.safeParse(body);
    if (!parsed.success) {
      throw adminError(400, 'name what to release: {"client_id", "tool"?, "hash"?}, or {"all": true}');
    }
    const released = 'all' in parsed.data ? await everyRelease(safety) : await oneRelease(safety, parsed.data);
    const answer: Released = {
      status: 'success',
      message: released.length === 0 ? 'no tool was held back' : `${released.length} tool definitions released`,
      released,
    };
    response.json(answer);
  });
  return router;
}

async function oneRelease(
  safety: DefinitionReviews,
  { client_id, tool, hash }: { client_id: string; tool?: string | undefined; hash?: string | undefined },
): Promise<Released['released']> {
  const names = await safety.release(client_id, tool, hash);
  return names.map((name) => ({ client_id, tool: name }));
}

async function everyRelease(safety: DefinitionReviews): Promise<Released['released']> {
  const clients = [...new Set(safety.notes.map(({ clientId }) => clientId))];
  const released = await Promise.all(clients.map((client_id) => oneRelease(safety, { client_id })));
  return released.flat();
}

const reviewedTool = (note: ToolNote): ReviewedTool => ({
  client_id: note.clientId,
  client_name: note.clientName,
  tool: note.tool,
  since: note.since,
  hash: note.hash,
  ...(note.held && { held: note.held }),
  ...(note.difference && { difference: note.difference }),
  ...(note.pinned && { pinned: { hash: note.pinned.hash, at: note.pinned.pinnedAt } }),
  ...(note.renamedFrom !== undefined && { renamed_from: note.renamedFrom }),
  changes: [...note.changes],
  diff: diffText(note.changes),
  findings: [...note.findings],
  definition: note.definition,
});
