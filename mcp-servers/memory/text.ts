import type { Recalled } from './recall.ts';
import type { Entity, EntityPage, Forgotten, Relation, Remembered, Stats } from './store.ts';

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const relationText = ({ from, type, to }: Relation): string => `${from} —${type}→ ${to}`;

export function entityText(entity: Entity): string {
  return [
    `${entity.name} (${entity.type})`,
    ...entity.observations.map((text) => `- ${text}`),
    ...entity.relations.map((relation) => `  ${relationText(relation)}`),
  ].join('\n');
}

export function recalledText({ entities, neighbours }: Recalled): string {
  if (entities.length === 0) return 'Nothing is remembered about this. Try other words, or look through list_entities.';
  const related = neighbours.map(({ name, type }) => `${name} (${type})`).join(', ');
  return [...entities.map(entityText), ...(related === '' ? [] : [`Related: ${related}`])].join('\n\n');
}

export function pageText({ entities, total, next }: EntityPage): string {
  if (total === 0) return 'No entities.';
  const lines = entities.map(
    ({ name, type, observations, relations }) =>
      `${name} (${type}): ${counted(observations, 'observation')}, ${counted(relations, 'relation')}`,
  );
  const rest = next === undefined ? '' : `; for more list after '${next}'`;
  return [...lines, `[${entities.length} of ${total}${rest}]`].join('\n');
}

export function rememberedText({ created, updated, unchanged, observationsAdded }: Remembered): string {
  const parts = [
    ['Created', created],
    ['Updated', updated],
    ['Known already', unchanged],
  ] as const;
  const lines = parts.filter(([, names]) => names.length > 0).map(([label, names]) => `${label}: ${names.join(', ')}.`);
  return [...lines, `${counted(observationsAdded, 'new observation')}.`].join(' ');
}

export function statsText({ entities, observations, relations, types, sizeBytes }: Stats): string {
  const kinds = types.map((kind) => `${kind.type} ${kind.entities}`).join(', ');
  const counts = `Entities: ${entities}. Observations: ${observations}. Relations: ${relations}. Size: ${sizeBytes} bytes.`;
  return kinds === '' ? counts : `${counts}\nTypes: ${kinds}`;
}

export const forgottenText = ({ entities, observations, relations }: Forgotten): string =>
  `Forgotten: ${entities === 1 ? 'the entity, ' : ''}${counted(observations, 'observation')}, ${counted(relations, 'relation')}.`;
