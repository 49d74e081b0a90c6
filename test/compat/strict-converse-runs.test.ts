import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyed } from '../support/gateway.ts';
import { shared } from '../support/shared.ts';
import { strictConverse } from '../support/strict-converse.ts';
import { type StrictUpstream, startStrict } from '../support/strict-server.ts';
import type { Format } from './answers.ts';
import { conversationsAt } from './conversations.ts';
import { FORMAT_OF } from './expected.ts';
import { type Run, recordedRuns } from './recorded-runs.ts';
import { providerOf, type Stage, startStage } from './replay.ts';

// Whatever models said in a conversation: one that Converse serves can go on with it.

const MODELS = ['amazon.nova-pro-v1:0', 'meta.llama3-3-70b-instruct-v1:0', 'openai.gpt-oss-120b-1:0'];
const AT_ONCE = 8;

/** One run holds an earlier conversation that only OpenAI can decrypt: nobody else can go on with it. */
const SEALED = /item "compaction": an earlier conversation, encrypted for another provider/;

let stage: Stage;
let upstream: StrictUpstream;

describe.runIf(shared)('every recorded conversation goes on at a strict Converse', () => {
  beforeAll(async () => {
    upstream = await startStrict(strictConverse, () => ({ text: 'And so on.' }));
    const bedrock = keyed(upstream.url);
    const [key] = bedrock.keys;
    stage = await startStage({
      bedrock: { ...bedrock, keys: [{ ...key, bedrock_key_config: { region: 'us-east-1' } }] },
    });
  });
  afterAll(async () => {
    await stage.stop();
    await upstream.close();
  });

  test.each(Object.values(FORMAT_OF))(
    'by a client of %s',
    async (format) => {
      const queue = recordedRuns();
      const count = queue.length;
      const before = upstream.accepted.length;
      const lines: string[] = [];
      const worker = async () => {
        for (let run = queue.shift(); run; run = queue.shift()) lines.push(...(await goOn(run, format)));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const sealed = lines.filter((line) => SEALED.test(line));
      expect(lines.filter((line) => !SEALED.test(line)).sort()).toEqual([]);
      expect(sealed).toHaveLength(format === 'openai-responses' ? MODELS.length : 0);
      expect(upstream.accepted.length - before).toBe(count * MODELS.length - sealed.length);
      expect(upstream.refused).toEqual([]);
    },
    120_000,
  );
});

/** Walks a run to its end and asks each model for one answer more; a line for each that refuses. */
async function goOn(run: Run, format: Format): Promise<string[]> {
  const names = [...new Set(run.flatMap(({ digest }) => (digest.toolCalls ?? []).map(({ name }) => name)))];
  const id = run[0]?.scenario?.id;
  const conversation = conversationsAt(stage.gateway.url, `sk-bf-converse-${id}`)[format]({ names });
  const say = (waiting: number) => {
    if (waiting > 0) conversation.giveResults(Array.from({ length: waiting }, (_, at) => `result ${at}`));
    else conversation.say('Go on.');
  };
  for (const recording of run) {
    say(await conversation.ask(`${providerOf(recording)}/replay:${recording.id}`, recording.stream));
  }
  const lines: string[] = [];
  for (const [at, model] of MODELS.entries()) {
    try {
      say(await conversation.ask(`bedrock/${model}`, at % 2 === 0));
    } catch (thrown) {
      lines.push(`${id} | ${format} | ${model} | ${String(thrown)}`);
    }
  }
  return lines;
}
