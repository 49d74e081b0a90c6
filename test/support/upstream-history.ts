import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import { objectOf, objectsOf, type StrictRequest, textOf } from './strict-server.ts';

/** What a model was told of a conversation, whatever format it travelled in: `name(value)` for calls, texts for results. */
export interface ToldTurn {
  readonly said: string;
  readonly calls: readonly string[];
  /** In the order of the wire. */
  readonly results: readonly string[];
  /** Whether each result names the call that stands at its place. */
  readonly paired: boolean;
}

type Entry =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'call'; readonly id: string; readonly name: string; readonly input: JsonValue }
  | { readonly kind: 'result'; readonly id: string; readonly text: string };

/** The model's turns in a request of any format, oldest first. */
export function toldTurns(request: StrictRequest): ToldTurn[] {
  const turns: { said: string; calls: string[]; ids: string[]; results: string[]; answered: string[] }[] = [];
  let isOpen = false;
  for (const entry of entriesOf(request.body)) {
    if (entry === 'user') {
      isOpen = false;
      continue;
    }
    let turn = turns.at(-1);
    if (!isOpen || !turn || (entry.kind !== 'result' && turn.results.length > 0)) {
      turn = { said: '', calls: [], ids: [], results: [], answered: [] };
      turns.push(turn);
      isOpen = true;
    }
    if (entry.kind === 'text') turn.said += entry.text;
    if (entry.kind === 'call') {
      turn.calls.push(`${entry.name}(${valueIn(entry.input)})`);
      turn.ids.push(entry.id);
    }
    if (entry.kind === 'result') {
      turn.results.push(entry.text);
      turn.answered.push(entry.id);
    }
  }
  return turns.map(({ said, calls, ids, results, answered }) => ({
    said,
    calls,
    results,
    paired: ids.length === new Set(ids).size && ids.join() === answered.join(),
  }));
}

const valueIn = (input: JsonValue): string => {
  const args = typeof input === 'string' ? objectOf(JSON.parse(input || '{}')) : objectOf(input);
  return textOf(args.value);
};

function entriesOf(body: JsonObject): (Entry | 'user')[] {
  if (body.input !== undefined) return objectsOf(body.input).flatMap(itemEntries);
  if (body.contents !== undefined) return objectsOf(body.contents).flatMap(contentEntries);
  return objectsOf(body.messages).flatMap(messageEntries);
}

function itemEntries(item: JsonObject): (Entry | 'user')[] {
  if (item.type === 'function_call') {
    return [{ kind: 'call', id: textOf(item.call_id), name: textOf(item.name), input: item.arguments ?? '' }];
  }
  if (item.type === 'function_call_output') {
    return [{ kind: 'result', id: textOf(item.call_id), text: plain(item.output) }];
  }
  if (item.type === 'reasoning') return [];
  return item.role === 'assistant' ? [{ kind: 'text', text: plain(item.content) }] : ['user'];
}

function contentEntries({ role, parts }: JsonObject): (Entry | 'user')[] {
  return objectsOf(parts).flatMap((part): (Entry | 'user')[] => {
    const { functionCall, functionResponse } = part;
    if (isObject(functionCall)) {
      const { id, name, args } = functionCall;
      return [{ kind: 'call', id: textOf(id ?? name), name: textOf(name), input: args ?? {} }];
    }
    if (isObject(functionResponse)) {
      const { id, name, response } = functionResponse;
      const { output, result, content } = objectOf(response);
      return [{ kind: 'result', id: textOf(id ?? name), text: plain(output ?? result ?? content ?? response) }];
    }
    return role === 'model' ? [{ kind: 'text', text: textOf(part.text) }] : ['user'];
  });
}

function messageEntries({ role, content, tool_calls: calls, tool_call_id: answers }: JsonObject): (Entry | 'user')[] {
  if (role === 'tool') return [{ kind: 'result', id: textOf(answers), text: plain(content) }];
  if (role === 'user' && objectsOf(content).some(({ type }) => type === 'tool_result')) {
    return objectsOf(content).map((block) =>
      block.type === 'tool_result'
        ? { kind: 'result', id: textOf(block.tool_use_id), text: plain(block.content) }
        : 'user',
    );
  }
  if (role !== 'assistant') return ['user'];
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
  return [
    ...blocks.flatMap((block): Entry[] => {
      if (block.type === 'text') return [{ kind: 'text', text: textOf(block.text) }];
      if (block.type !== 'tool_use') return [];
      return [{ kind: 'call', id: textOf(block.id), name: textOf(block.name), input: block.input ?? {} }];
    }),
    ...objectsOf(calls).map(
      (call): Entry => ({
        kind: 'call',
        id: textOf(call.id),
        name: textOf(objectOf(call.function).name),
        input: objectOf(call.function).arguments ?? '',
      }),
    ),
  ];
}

const plain = (value: JsonValue | undefined): string => {
  if (typeof value === 'string') return value;
  if (Array.isArray(value))
    return objectsOf(value)
      .map(({ text }) => textOf(text))
      .join('');
  return value === undefined ? '' : JSON.stringify(value);
};
