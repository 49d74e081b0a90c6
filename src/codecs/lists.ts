/** Appends one by one: what is spread into a call stands on the stack, which a hundred thousand of them overflow. */
export function addAll<Item>(list: Item[], more: readonly Item[]): void {
  for (const item of more) list.push(item);
}
