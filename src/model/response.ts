import type { Origin, Part } from './content.ts';
import type { FinishReason, StreamEvent } from './event.ts';
import { NO_USAGE, type Usage } from './usage.ts';

export interface ChatResponse {
  id: string;
  model: string;
  parts: Part[];
  reason: FinishReason;
  usage: Usage;
  origin?: Origin;
  endOrigin?: Origin;
}

export const emptyResponse = (): ChatResponse => ({
  id: '',
  model: '',
  parts: [],
  reason: { kind: 'other' },
  usage: NO_USAGE,
});

/** Grows `response` by one event. The only place that knows how parts grow. */
export function fold(response: ChatResponse, event: StreamEvent): void {
  switch (event.type) {
    case 'response-start':
      response.id = event.id;
      response.model = event.model;
      if (event.usage) response.usage = event.usage;
      if (event.origin) response.origin = event.origin;
      return;
    case 'part-start':
      response.parts[event.index] = { ...event.part };
      return;
    case 'part-delta': {
      const part = response.parts[event.index];
      if (part?.type === 'text' || part?.type === 'reasoning') part.text += event.delta;
      else if (part?.type === 'tool-call') part.input += event.delta;
      return;
    }
    case 'part-end': {
      const part = response.parts[event.index];
      if (part && event.origin) part.origin = event.origin;
      return;
    }
    case 'response-end':
      response.reason = event.reason;
      response.usage = event.usage;
      if (event.origin) response.endOrigin = event.origin;
  }
}

/** The events that fold into `response`; the inverse of `fold`. */
export function eventsOf(response: ChatResponse): StreamEvent[] {
  const events: StreamEvent[] = [
    {
      type: 'response-start',
      id: response.id,
      model: response.model,
      ...(response.origin && { origin: response.origin }),
    },
  ];
  response.parts.forEach((part, index) => {
    events.push({ type: 'part-start', index, part });
    events.push({ type: 'part-end', index, ...(part.origin && { origin: part.origin }) });
  });
  events.push({
    type: 'response-end',
    reason: response.reason,
    usage: response.usage,
    ...(response.endOrigin && { origin: response.endOrigin }),
  });
  return events;
}

export function foldAll(events: Iterable<StreamEvent>): ChatResponse {
  const response = emptyResponse();
  for (const event of events) fold(response, event);
  return response;
}
