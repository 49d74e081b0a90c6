import type { Config } from '../config/load.ts';
import { pricedCall, priceOverridesOf } from '../governance/price-overrides.ts';
import { createPricing } from '../governance/pricing.ts';
import { type Logs, openLogs } from '../logs/logs.ts';
import type { Metrics } from '../logs/metrics.ts';
import type { Log } from '../logs/process-log.ts';
import type { LogSink } from '../logs/sink.ts';
import type { ModelKnowledge } from '../providers/models/traits.ts';

export function openRequestLog(
  { client, logs_store: store, governance, providers }: Config,
  metrics: Metrics,
  models: ModelKnowledge,
  log: Log,
): Logs {
  const keyNameOf = (provider: string | undefined, given: string): string | undefined =>
    Object.entries(providers)
      .filter(([name]) => provider === undefined || name.toLowerCase() === provider)
      .flatMap(([, { keys }]) => keys)
      .find(({ id, name }) => id === given || name === given)?.name;
  const overrides = priceOverridesOf(governance.pricing_overrides, keyNameOf);
  const pricing = createPricing(overrides, Date.now, models);
  const isAsked = overrides.length > 0;
  const logs = openLogs({
    path: store.config.path,
    enabled: client.enable_logging && store.enabled,
    contentLogging: !client.disable_content_logging,
    limits: { retentionDays: store.retention_days || client.log_retention_days },
    metrics,
    costOf: (provider, model, usage, context) =>
      pricing.costOf(provider, model, usage, isAsked ? pricedCall(context) : undefined),
    ownerOf: ({ keyOwner }) => keyOwner,
    warn: (message) => log('warn', message),
  });
  return client.dump_errors_in_console_logs ? { ...logs, sink: tellingErrors(logs.sink, log) } : logs;
}

/** Records whose errors stand in the process's own log too. */
const tellingErrors = (sink: LogSink, log: Log): LogSink => ({
  ...sink,
  recordCall(record) {
    sink.recordCall(record);
    const { id, provider, model, error } = record;
    if (error) log('error', `request ${id} failed: ${error.message}`, { provider, model, kind: error.kind });
  },
});
