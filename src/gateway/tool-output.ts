import { randomUUID } from 'node:crypto';
import type { PausedRun, ToolOutput } from '../agent/tools.ts';
import type { ToolResult } from '../mcp/contract.ts';
import type { MetaHost, MetaRun } from '../mcp/meta-runs.ts';
import { resultParts } from '../mcp/result-text.ts';
import type { CallContext } from '../model/call.ts';
import type { Part, ToolCallPart, ToolResultPart } from '../model/content.ts';
import type { JsonObject } from '../model/json.ts';

/** One step of a run, for the request that takes it. */
export type Leg = (context: CallContext, step: (host: MetaHost) => Promise<MetaRun>) => Promise<MetaRun>;

/** What a meta tool gives the agent loop: its result, or the calls that it waits for and the way on from there. */
export function outputOf(name: string, run: MetaRun, leg: Leg): ToolOutput {
  if (run.type === 'ended') return resultOutput(name, run.result);
  const calls = run.calls.map(({ number, tool, input }) => ({ number, part: handedCall(tool, input) }));
  const paused: PausedRun = {
    calls: calls.map(({ part }) => part),
    async resume(results, context) {
      const found = new Map(calls.flatMap(({ number, part }) => numbered(number, results.get(part.id))));
      return outputOf(name, await leg(context, (host) => run.resume(found, host)), leg);
    },
    abandon: () => run.abandon(),
  };
  const text = `${pausedText(run)} (${calls.map(({ part }) => part.id).join(', ')})`;
  return { content: [{ type: 'text', text }], isError: false, paused };
}

export const resultOutput = (name: string, result: ToolResult): ToolOutput => ({
  content: resultParts(name, result),
  isError: result.isError === true,
});

export const pausedText = ({ calls }: MetaRun & { type: 'paused' }): string => {
  const names = calls.map(({ tool }) => tool).join(', ');
  return `Paused: it goes on when the client brings the result of ${names}, which must be allowed first.`;
};

/** An id of our own making: no model's numbering can meet it, and every format takes it as it is. */
const handedCall = (name: string, input: JsonObject): ToolCallPart => ({
  type: 'tool-call',
  id: `call_${randomUUID().replaceAll('-', '')}`,
  name,
  input: JSON.stringify(input),
});

const numbered = (number: number, result: ToolResultPart | undefined): [number, ToolResult][] =>
  result ? [[number, { content: result.content.flatMap(blockOf), isError: result.isError }]] : [];

function blockOf(part: Part): JsonObject[] {
  if (part.type === 'text') return [{ type: 'text', text: part.text }];
  if (part.type !== 'media' || part.source.type !== 'base64') return [];
  const type = part.mediaType.startsWith('audio/') ? 'audio' : 'image';
  return [{ type, data: part.source.data, mimeType: part.mediaType }];
}
