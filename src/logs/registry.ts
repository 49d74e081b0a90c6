import { ownValue } from '../model/json.ts';

/** Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), and no more of it than we write. */
export interface Registry {
  counter(name: string, help: string, labels?: readonly string[]): Family<Value>;
  gauge(name: string, help: string, labels?: readonly string[]): Family<Value>;
  /** `buckets` are upper bounds, ascending, without the infinite one. */
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Family<Histogram>;
  /** A metric read only when somebody scrapes. */
  read(type: 'counter' | 'gauge', name: string, help: string, value: () => number): void;
  text(): string;
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One metric with all its label values. Whoever counts often keeps the series instead of asking for it again. */
export interface Family<Series> {
  series(...values: readonly string[]): Series;
}

export interface Value {
  add(amount: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

export function createRegistry(): Registry {
  const metrics: (() => string)[] = [];
  const valueFamily =
    (type: 'counter' | 'gauge') =>
    (name: string, help: string, labels: readonly string[] = []): Family<Value> => {
      const family = new SeriesMap(() => new Sum());
      metrics.push(() =>
        family.text(heading(name, help, type), (values, sum) => line(name, labels, values, sum.total)),
      );
      return family;
    };
  return {
    counter: valueFamily('counter'),
    gauge: valueFamily('gauge'),
    histogram(name, help, labels, buckets) {
      const family = new SeriesMap(() => new Distribution(buckets));
      metrics.push(() =>
        family.text(heading(name, help, 'histogram'), (values, distribution) =>
          distributionText(name, labels, values, distribution),
        ),
      );
      return family;
    },
    read(type, name, help, value) {
      metrics.push(() => heading(name, help, type) + line(name, [], [], value()));
    },
    text: () => metrics.map((metric) => metric()).join(''),
  };
}

class SeriesMap<Series> implements Family<Series> {
  readonly #create: () => Series;
  readonly #entries = new Map<string, { readonly values: readonly string[]; readonly series: Series }>();

  constructor(create: () => Series) {
    this.#create = create;
  }

  series(...values: readonly string[]): Series {
    const key = values.join('\u0000');
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { values, series: this.#create() };
      this.#entries.set(key, entry);
    }
    return entry.series;
  }

  text(heading: string, write: (values: readonly string[], series: Series) => string): string {
    let result = heading;
    for (const { values, series } of this.#entries.values()) result += write(values, series);
    return result;
  }
}

class Sum implements Value {
  total = 0;

  add(amount: number): void {
    this.total += amount;
  }
}

class Distribution implements Histogram {
  readonly buckets: readonly number[];
  /** How many fell into each bucket alone; the last is everything above. */
  readonly counts: number[];
  sum = 0;

  constructor(buckets: readonly number[]) {
    this.buckets = buckets;
    this.counts = new Array<number>(buckets.length + 1).fill(0);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.buckets.length && value > (this.buckets[index] ?? 0)) index++;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
  }
}

const heading = (name: string, help: string, type: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

function distributionText(
  name: string,
  labels: readonly string[],
  values: readonly string[],
  { buckets, counts, sum }: Distribution,
): string {
  let total = 0;
  let result = '';
  counts.forEach((count, index) => {
    total += count;
    const bound = buckets[index];
    result += line(`${name}_bucket`, [...labels, 'le'], [...values, bound === undefined ? '+Inf' : `${bound}`], total);
  });
  return `${result}${line(`${name}_sum`, labels, values, sum)}${line(`${name}_count`, labels, values, total)}`;
}

function line(name: string, labels: readonly string[], values: readonly string[], value: number): string {
  const pairs = labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join()}}` : ''} ${value}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

const escaped = (value: string): string =>
  value.replace(/[\\"\n]/g, (character) => ownValue(ESCAPES, character) ?? character);
