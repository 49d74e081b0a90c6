import { eventually, type Gateway } from '../support/gateway.ts';

/** The row that the log has of the latest call of a model, once it is written. */
export async function logRow({ url }: Gateway, model: string): Promise<Record<string, unknown>> {
  const { logs } = await eventually(
    async () =>
      (await (await fetch(`${url}/api/logs?models=${encodeURIComponent(model)}`)).json()) as {
        logs: Record<string, unknown>[];
      },
    (page) => page.logs.length > 0,
  );
  // the page holds at least one, as was waited for
  return logs[0] as Record<string, unknown>;
}
