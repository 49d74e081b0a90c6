import { isObject, type JsonObject, type JsonValue } from '../../src/model/json.ts';
import type { Format, Wire } from './variations.ts';

// What servers of each API do otherwise than its vendor, as seen in recordings and reports: it changes nothing of what an
// answer says.

type Habit = (wire: readonly Wire[]) => readonly Wire[];

const objectOf = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});
const objectsOf = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Each event that holds an object, as others in its place. */
const each =
  (change: (event: JsonObject, place: number) => readonly JsonObject[]): Habit =>
  (wire) =>
    wire.flatMap((event, place) =>
      event.data.startsWith('{')
        ? change(JSON.parse(event.data), place).map((data) => ({ ...event, data: JSON.stringify(data) }))
        : [event],
    );

const without = (object: JsonObject, ...fields: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));

/** How text of server-sent events may be written (WHATWG HTML, 9.2). */
export const FRAMINGS: Readonly<Record<string, (text: string) => string>> = {
  'lines that end in CRLF': (text) => text.replaceAll('\n', '\r\n'),
  'lines that end in CR': (text) => text.replaceAll('\n', '\r'),
  'no space behind the colon': (text) => text.replace(/^(data|event): /gm, '$1:'),
  'comments between and within events': (text) =>
    text.replace(/^data:/gm, ': x\ndata:').replaceAll('\n\n', '\n\n:\n\n'),
  'a byte order mark': (text) => `\ufeff${text}`,
  'ids, and times to try again': (text) => `retry: 9\n\n${text.replace(/^data:/gm, 'id: 7\nretry: 9\ndata:')}`,
  'fields that nobody knows': (text) => text.replace(/^data:/gm, 'x: y\ndata:'),
  'no blank line at the end': (text) => text.replace(/\n+$/, '\n'),
  'more blank lines': (text) => `\n\n${text.replaceAll('\n\n', '\n\n\n\n')}`,
  'lines without data': (text) => text.replaceAll('\n\n', '\n\ndata:\n\n'),
  'a comment at the end': (text) => `${text}: bye\n\n`,
  'an end as chats have it': (text) => `${text}data: [DONE] \n\n`,
};

const choice = (change: (delta: JsonObject, choice: JsonObject) => void): Habit =>
  each((event) => {
    for (const one of objectsOf(event.choices)) if (isObject(one.delta)) change(one.delta, one);
    return [event];
  });

const calls = (change: (call: JsonObject) => void): Habit =>
  choice(({ tool_calls }) => {
    for (const call of objectsOf(tool_calls)) change(call);
  });

const isCounts = (event: JsonObject): boolean => isObject(event.usage) && objectsOf(event.choices).length === 0;

/** What the first fragment of a call says of it, once more with each. */
function repeating(pick: (call: JsonObject) => [holder: JsonObject, field: string]): Habit {
  return (wire) => {
    const told = new Map<JsonValue | undefined, JsonValue | undefined>();
    return calls((call) => {
      const [holder, field] = pick(call);
      if (holder[field]) told.set(call.index, holder[field]);
      else if (told.has(call.index)) holder[field] = told.get(call.index);
    })(wire);
  };
}

const thinkingOf = ({ reasoning_content, reasoning, reasoning_details }: JsonObject): string =>
  reasoning_details === undefined ? String(reasoning_content || reasoning || '') : '';

const CHATS: Readonly<Record<string, Habit>> = {
  'no mark at the end': (wire) =>
    wire.some(({ data }) => /"finish_reason":\s*"\w/.test(data)) ? wire.filter(({ data }) => data !== '[DONE]') : wire,
  'two marks at the end': (wire) => [...wire, { data: '[DONE]' }],
  'its role in each delta': choice((delta) => Object.assign(delta, { role: 'assistant' })),
  'no role': choice((delta) => delete delta.role),
  'nothing of who answers': each((event) => [without(event, 'id', 'object', 'created', 'model')]),
  'a chunk of its filter first': (wire) => [{ data: '{"id":"","choices":[],"prompt_filter_results":[]}' }, ...wire],
  'no place of the choice': choice((_delta, one) => delete one.index),
  'an empty reason before the end': choice((_delta, one) => {
    one.finish_reason ??= '';
  }),
  'the end told twice': each((event) => {
    const [one] = objectsOf(event.choices);
    const again = { ...event, choices: [{ index: 0, delta: {}, finish_reason: one?.finish_reason ?? null }] };
    return one?.finish_reason ? [event, again] : [event];
  }),
  'counts in place of choices': each((event) => [isCounts(event) ? without(event, 'choices') : event]),
  'counts beside an empty delta': each((event) => [
    isCounts(event) ? { ...event, choices: [{ index: 0, delta: {}, finish_reason: null }] } : event,
  ]),
  'counts as Groq tells them': each((event) => [
    isCounts(event) ? { ...without(event, 'usage'), x_groq: { usage: event.usage } } : event,
  ]),
  'a chunk of nothing behind the end': (wire) => [
    ...wire.filter(({ data }) => data !== '[DONE]'),
    { data: '{"choices":[{"index":0,"delta":{},"finish_reason":null}]}' },
    ...wire.filter(({ data }) => data === '[DONE]'),
  ],
  'the id of a call in each piece': repeating((call) => [call, 'id']),
  'the name of a call in each piece': repeating((call) => [objectOf(call.function), 'name']),
  'null for what was told of a call': calls((call) => {
    call.id ??= null;
    call.type ??= null;
    const told = objectOf(call.function);
    told.name ??= null;
    told.arguments ??= null;
  }),
  'calls counted from one': calls((call) => {
    if (typeof call.index === 'number') call.index += 1;
  }),
  'content as a list': choice((delta) => {
    if (delta.content && typeof delta.content === 'string') delta.content = [{ type: 'text', text: delta.content }];
  }),
  'thinking under both names': choice((delta) => {
    const thinking = thinkingOf(delta);
    if (thinking) Object.assign(delta, { reasoning: thinking, reasoning_content: thinking });
  }),
  'thinking in details only': choice((delta) => {
    const thinking = thinkingOf(delta);
    if (!thinking) return;
    delete delta.reasoning;
    delete delta.reasoning_content;
    delta.reasoning_details = [{ type: 'reasoning.text', text: thinking, index: 0 }];
  }),
  'a message for a delta': choice((delta, one) => {
    one.message = delta;
    delete one.delta;
  }),
};

const ofType = (type: string, change: (event: JsonObject) => readonly JsonObject[]): Habit =>
  each((event) => (event.type === type ? change(event) : [event]));

const MESSAGES: Readonly<Record<string, Habit>> = {
  'no names of events': (wire) => wire.map(({ data }) => ({ data })),
  'a ping in front and at the end': (wire) => [PING, ...wire, PING],
  'blocks numbered from one': each((event) => [
    typeof event.index === 'number' ? { ...event, index: event.index + 1 } : event,
  ]),
  'blocks numbered with gaps': each((event) => [
    typeof event.index === 'number' ? { ...event, index: event.index * 2 } : event,
  ]),
  'reason and counts apart': ofType('message_delta', ({ usage, ...event }) => [
    event,
    { type: 'message_delta', delta: { stop_reason: null }, ...(usage && { usage }) },
  ]),
  'all counts at the end': (wire) => {
    const [opening] = wire.filter(({ data }) => data.includes('"message_start"')).map(({ data }) => JSON.parse(data));
    const counts = objectOf(objectOf(objectOf(opening).message).usage);
    return ofType('message_delta', (event) => [{ ...event, usage: { ...counts, ...objectOf(event.usage) } }])(wire);
  },
  'an opening without contents': ofType('message_start', (event) => [
    { ...event, message: without(objectOf(event.message), 'content', 'stop_reason', 'stop_sequence') },
  ]),
};
const PING: Wire = { event: 'ping', data: '{"type":"ping"}' };

const candidate = (change: (candidate: JsonObject) => void): Habit =>
  each((event) => {
    for (const one of objectsOf(event.candidates)) change(one);
    return [event];
  });

/** What a chunk holds beside its counts, then those. */
function countsBehind(event: (counts: JsonObject) => JsonObject): Habit {
  return (wire) => {
    const counts = wire.map(({ data }) => objectOf(JSON.parse(data)).usageMetadata).findLast(isObject);
    if (!counts) return wire;
    const bare = each((chunk) => [without(chunk, 'usageMetadata')])(wire);
    return [...bare, { data: JSON.stringify(event(counts)) }];
  };
}

const GEMINIS: Readonly<Record<string, Habit>> = {
  'no role': candidate(({ content }) => delete objectOf(content).role),
  'no place of the candidate': candidate((one) => delete one.index),
  'its end in a chunk without content': each((event) => {
    const [one] = objectsOf(event.candidates);
    if (!one?.finishReason || !one.content) return [event];
    return [
      { ...event, candidates: [{ content: one.content }] },
      { ...event, candidates: [without(one, 'content')] },
    ];
  }),
  'counts in a chunk of their own': countsBehind((usageMetadata) => ({ usageMetadata })),
  'counts beside no candidates': countsBehind((usageMetadata) => ({ candidates: [], usageMetadata })),
  'empty texts in between': each((event) => [{ candidates: [{ content: { parts: [{ text: '' }] } }] }, event]),
  'texts that are said to be no thoughts': candidate(({ content }) => {
    for (const part of objectsOf(objectOf(content).parts)) if (part.text !== undefined) part.thought ??= false;
  }),
  'nothing of who answers': each((event) => [without(event, 'responseId', 'modelVersion')]),
};

const typed = (types: RegExp, change: (event: JsonObject) => readonly JsonObject[]): Habit =>
  each((event) => (types.test(String(event.type)) ? change(event) : [event]));

const RESPONSES: Readonly<Record<string, Habit>> = {
  'no names of events': (wire) => wire.map(({ data }) => ({ data })),
  'no numbers of events': each((event) => [without(event, 'sequence_number')]),
  'no opening': typed(/^response\.(created|queued|in_progress)$/, () => []),
  'no parts': typed(/_part\./, () => []),
  'no ends of texts': typed(/(text|arguments|refusal|input)\.done$/, () => []),
  'no openings of items': typed(/output_item\.added$/, () => []),
  'nothing before the items are whole': typed(/\.delta$/, () => []),
  'nothing but the last event': typed(/^response\.(?!completed|incomplete|failed|error)/, () => []),
  'no status of items': typed(/output_item/, ({ item, ...event }) => [
    { ...event, item: without(objectOf(item), 'status') },
  ]),
  'ids that change': each((event, place) => [
    event.item_id ? { ...event, item_id: `${event.item_id}${place}` } : event,
  ]),
  'an end that repeats no items': typed(/^response\.(completed|incomplete)$/, ({ response, ...event }) => [
    { ...event, response: { ...objectOf(response), output: [] } },
  ]),
};

export const HABITS: Readonly<Record<Format, Readonly<Record<string, Habit>>>> = {
  'openai-chat': CHATS,
  'anthropic-messages': MESSAGES,
  gemini: GEMINIS,
  'openai-responses': RESPONSES,
};
