import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { looksOnly, structuredResult } from '../support.ts';
import type { Db } from './database.ts';
import { recall } from './recall.ts';
import {
  type Forgotten,
  forgetEntity,
  forgetObservation,
  forgetRelation,
  getEntity,
  listEntities,
  relate,
  remember,
  statsOf,
} from './store.ts';
import { entityText, forgottenText, pageText, recalledText, rememberedText, statsText } from './text.ts';

const name = z.string().trim().min(1).max(200);
const nameArgument = name.describe('Name of the entity; upper and lower case count as the same');
const observation = z.string().trim().min(1).max(4000);
const relationType = z.string().trim().min(1).max(100).describe("In active voice, e.g. 'works at', 'depends on'");
const relation = z.object({ from: z.string(), type: z.string(), to: z.string() });

const entity = {
  name: z.string(),
  type: z.string(),
  observations: z.array(z.string()),
  relations: z.array(relation),
  createdAt: z.string(),
  updatedAt: z.string(),
};

const adds = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false } as const;
const removes = { ...adds, destructiveHint: true } as const;

const now = (): string => new Date().toISOString();

export function registerMemoryTools(server: McpServer, db: Db): void {
  registerRemember(server, db);
  registerRelate(server, db);
  registerRecall(server, db);
  registerGetEntity(server, db);
  registerListEntities(server, db);
  registerForget(server, db);
  registerStats(server, db);
}

function registerRemember(server: McpServer, db: Db): void {
  server.registerTool(
    'remember',
    {
      title: 'Remember',
      description:
        'Stores lasting facts about entities (people, projects, places, preferences). New entities are made, known ones get ' +
        'the observations they lack. One fact an observation. Use the name of a known entity again instead of a variant.',
      inputSchema: z.strictObject({
        entities: z
          .array(
            z.strictObject({
              name: nameArgument,
              type: z
                .string()
                .trim()
                .min(1)
                .max(100)
                .optional()
                .describe("E.g. 'person', 'project'; changes a known one's"),
              observations: z.array(observation).max(100).default([]).describe('Facts, one each'),
            }),
          )
          .min(1)
          .max(100),
      }),
      outputSchema: z.object({
        created: z.array(z.string()),
        updated: z.array(z.string()),
        unchanged: z.array(z.string()),
        observationsAdded: z.number(),
      }),
      // A new type replaces the old one, but no fact is lost.
      annotations: adds,
    },
    ({ entities }) => {
      const remembered = remember(db, entities, now());
      return structuredResult(rememberedText(remembered), remembered);
    },
  );
}

function registerRelate(server: McpServer, db: Db): void {
  server.registerTool(
    'relate',
    {
      title: 'Relate entities',
      description:
        "Stores how entities stand to each other, e.g. from 'Ada' type 'works at' to 'Acme'. Both must be remembered already; " +
        'if one is not, none of the relations is stored.',
      inputSchema: z.strictObject({
        relations: z
          .array(z.strictObject({ from: nameArgument, type: relationType, to: nameArgument }))
          .min(1)
          .max(100),
      }),
      outputSchema: z.object({ added: z.number(), known: z.number() }),
      annotations: adds,
    },
    ({ relations }) => {
      const added = relate(db, relations, now());
      const known = relations.length - added;
      return structuredResult(`Relations added: ${added}. Known already: ${known}.`, { added, known });
    },
  );
}

function registerRecall(server: McpServer, db: Db): void {
  server.registerTool(
    'recall',
    {
      title: 'Recall',
      description:
        'Finds what is remembered about something: entities whose name, type or observations hold words of the query (best ' +
        'first, beginnings of words count), whole, and the names of what is related to them. Ask before you remember anew.',
      inputSchema: z.strictObject({
        query: z.string().trim().min(1).max(1000).describe('Words to look for; any of them may match'),
        limit: z.number().int().min(1).max(50).default(10).describe('How many entities to give'),
        depth: z.number().int().min(0).max(3).default(1).describe('How many relations away related entities may be'),
      }),
      outputSchema: z.object({
        entities: z.array(z.object(entity)),
        neighbours: z.array(z.object({ name: z.string(), type: z.string(), distance: z.number() })),
      }),
      annotations: looksOnly,
    },
    ({ query, ...options }) => {
      const recalled = recall(db, query, options);
      return structuredResult(recalledText(recalled), recalled);
    },
  );
}

function registerGetEntity(server: McpServer, db: Db): void {
  server.registerTool(
    'get_entity',
    {
      title: 'Get entity',
      description: 'Everything remembered about one entity, by its name: type, observations and relations.',
      inputSchema: z.strictObject({ name: nameArgument }),
      outputSchema: z.object(entity),
      annotations: looksOnly,
    },
    ({ name }) => {
      const found = getEntity(db, name);
      return structuredResult(entityText(found), found);
    },
  );
}

function registerListEntities(server: McpServer, db: Db): void {
  server.registerTool(
    'list_entities',
    {
      title: 'List entities',
      description: 'Names and types of what is remembered, by name, in pages.',
      inputSchema: z.strictObject({
        type: z.string().trim().min(1).max(100).optional().describe('Only entities of this type'),
        after: name.optional().describe('The last name of the page before, for the next page'),
        limit: z.number().int().min(1).max(200).default(50).describe('How many to give'),
      }),
      outputSchema: z.object({
        entities: z.array(
          z.object({
            name: z.string(),
            type: z.string(),
            observations: z.number(),
            relations: z.number(),
            updatedAt: z.string(),
          }),
        ),
        total: z.number(),
        next: z.string().optional().describe('`after` of the next page'),
      }),
      annotations: looksOnly,
    },
    (options) => {
      const page = listEntities(db, options);
      return structuredResult(pageText(page), page);
    },
  );
}

function registerForget(server: McpServer, db: Db): void {
  server.registerTool(
    'forget',
    {
      title: 'Forget',
      description:
        'Removes an entity with its observations and relations; or, with observation, only that fact of it; or, with relation, ' +
        'only that relation from it to another. Cannot be undone.',
      inputSchema: z.strictObject({
        entity: nameArgument,
        observation: observation.optional().describe('Exact text of the fact to remove'),
        relation: z.strictObject({ type: relationType, to: nameArgument }).optional(),
      }),
      outputSchema: z.object({ entities: z.number(), observations: z.number(), relations: z.number() }),
      annotations: removes,
    },
    (what) => {
      const forgotten = forget(db, what);
      return structuredResult(forgottenText(forgotten), forgotten);
    },
  );
}

interface ToForget {
  readonly entity: string;
  readonly observation?: string | undefined;
  readonly relation?: { readonly type: string; readonly to: string } | undefined;
}

function forget(db: Db, { entity, observation, relation }: ToForget): Forgotten {
  if (observation !== undefined && relation) {
    throw new Error('Give an observation or a relation to forget, not both: call forget twice.');
  }
  if (observation !== undefined) return forgetObservation(db, entity, observation, now());
  return relation ? forgetRelation(db, { from: entity, ...relation }) : forgetEntity(db, entity);
}

function registerStats(server: McpServer, db: Db): void {
  server.registerTool(
    'memory_stats',
    {
      title: 'Memory statistics',
      description:
        'How much is remembered: entities, observations, relations, the most frequent types, and bytes on disk.',
      inputSchema: z.strictObject({}),
      outputSchema: z.object({
        entities: z.number(),
        observations: z.number(),
        relations: z.number(),
        types: z.array(z.object({ type: z.string(), entities: z.number() })),
        sizeBytes: z.number(),
      }),
      annotations: looksOnly,
    },
    () => {
      const stats = statsOf(db);
      return structuredResult(statsText(stats), stats);
    },
  );
}
