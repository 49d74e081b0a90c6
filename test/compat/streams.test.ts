import { describe, expect, test } from 'vitest';
import { codecs } from '../../src/codecs/index.ts';
import { createSseReader } from '../../src/codecs/sse.ts';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { eventsIn } from '../codecs/pairing.ts';
import { cases, type Recording } from '../support/recordings.ts';
import { shared } from '../support/shared.ts';
import { FORMAT_OF, formatOf } from './expected.ts';

const answers = Object.keys(FORMAT_OF)
  .flatMap((endpoint) => cases({ endpoint }))
  .filter(({ digest }) => !digest.error && digest.finish !== 'failed');

const written = (recording: Recording, format: 'anthropic-messages' | 'openai-responses'): JsonObject[] => {
  const encode = codecs[format].encodeStream({ model: 'm', createdAtMs: 1_000 });
  const text = eventsIn(codecs[formatOf(recording)], recording).map(encode).join('');
  const reader = createSseReader();
  return [...reader.push(Buffer.from(text)), ...reader.end()].map(({ data }) => JSON.parse(data));
};

/** Which deltas a kind of block may grow by. */
const DELTAS: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
};

/** What a strict reader of Messages streams would stumble over. */
function faultsInMessages(events: readonly JsonObject[]): string[] {
  const faults: string[] = [];
  let open: { index: unknown; type: string } | undefined;
  let next = 0;
  for (const { type, index, content_block: block, delta } of events) {
    if (type === 'content_block_start') {
      if (open || index !== next++) faults.push(`block ${index} starts while ${open?.index} is open`);
      open = { index, type: isObject(block) ? String(block.type) : '' };
    } else if (type === 'content_block_delta') {
      const kind = isObject(delta) ? String(delta.type) : '';
      if (open?.index !== index) faults.push(`a delta for ${index}, which is not open`);
      const allowed = DELTAS[open?.type ?? ''] ?? ['input_json_delta'];
      if (!allowed.includes(kind)) faults.push(`${kind} in a block of ${open?.type}`);
    } else if (type === 'content_block_stop') {
      if (open?.index !== index) faults.push(`block ${index} stops, which is not open`);
      open = undefined;
    }
  }
  const starts = events.filter(({ type }) => type === 'message_start').length;
  const last = events.at(-1)?.type;
  if (starts !== 1 || open || last !== 'message_stop') faults.push(`${starts} starts, ends with ${last}`);
  return faults;
}

/** Members that the API gives to every response object (OpenAI Responses API, the response object). */
const MEMBERS = `id object created_at status background error incomplete_details instructions max_output_tokens
  max_tool_calls model output parallel_tool_calls previous_response_id prompt_cache_key reasoning safety_identifier
  service_tier store temperature text tool_choice tools top_logprobs top_p truncation usage user metadata`.split(/\s+/);

function faultsInResponses(events: readonly JsonObject[]): string[] {
  const faults = events.flatMap(({ sequence_number: number }, at) =>
    number === at ? [] : [`event ${at} has ${number}`],
  );
  const last = events.at(-1)?.response;
  const snapshot = isObject(last) ? last : {};
  faults.push(...MEMBERS.filter((member) => snapshot[member] === undefined).map((member) => `no ${member}`));
  const done = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
  if (JSON.stringify(snapshot.output) !== JSON.stringify(done)) faults.push('the snapshot holds other items');
  return faults;
}

describe.runIf(shared)('every recorded answer, streamed on', () => {
  test('C2 a Messages stream starts once and has one open block at a time, which grows by its own deltas', () => {
    const faults = answers.flatMap((recording) =>
      faultsInMessages(written(recording, 'anthropic-messages')).map((fault) => `${recording.id}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  test('a Responses stream counts its events and ends with a snapshot of all that it said', () => {
    const faults = answers.flatMap((recording) =>
      faultsInResponses(written(recording, 'openai-responses')).map((fault) => `${recording.id}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });
});
