// The questions. InfluxQL keeps to the forms that the hub's own /query answers too: see dashboards/README.md.
import type { InfluxTarget, PrometheusTarget, SourceRef } from './schema.js';

/** The observations: an InfluxDB server, or the hub's own /query, as the data source is provisioned. */
export const series: SourceRef = { type: 'influxdb', uid: 'hub-series' };

/** What only the hub knows, asked of the hub's /query: stations with their places, alarms. */
export const hub: SourceRef = { type: 'influxdb', uid: 'hub' };

/** The hub's own metrics. */
export const metrics: SourceRef = { type: 'prometheus', uid: 'hub-prometheus' };

/** Of the municipality and the stations that are chosen. */
export const chosen = '"municipality" =~ /^$municipality$/ AND "station" =~ /^$station$/';

/** Legal days begin at midnight in Lisbon; a hub in the Azores says so here and builds again. */
export const zone = "tz('Europe/Lisbon')";

// ln(10) / 10: a level as the exponent of its energy.
const decibel = '0.2302585092994046';

export type Groups = readonly ('municipality' | 'station' | 'sensor' | 'property' | 'period')[];

const tags = (groups: Groups): string => groups.map((tag) => `"${tag}"`).join(', ');

const property = (name: string): string => (name.startsWith('/') ? `"property" =~ ${name}` : `"property" = '${name}'`);

export type Over = {
  /** Tags that make a series of their own. */
  by?: Groups;
  /** Width of a bucket: $__interval unless said; null for one figure of the whole time. */
  every?: string | null;
  /** Legal days instead of days of UTC. */
  legal?: boolean;
  /** Further conditions. */
  where?: string;
};

function grouping(over: Over): string {
  const every = over.every === undefined ? '$__interval' : over.every;
  const groups = [...(every === null ? [] : [`time(${every})`]), ...(over.by?.length ? [tags(over.by)] : [])];
  return `${groups.length ? ` GROUP BY ${groups.join(', ')}` : ''}${every === null ? '' : ' fill(none)'}${over.legal ? ` ${zone}` : ''}`;
}

/** A figure of the results of a property, e.g. `mean("result")`; a property in slashes is an expression. */
export const figure = (select: string, of: string, over: Over = {}): string =>
  `SELECT ${select} FROM "observation" WHERE ${chosen} AND ${property(of)}${over.where ? ` AND ${over.where}` : ''} AND $timeFilter${grouping(over)}`;

/** Levels are averaged as energy, never arithmetically: 10 lg of the mean of 10^(L/10). */
export const energyMean = (of: string, name: string, over: Over = {}): string =>
  `SELECT 10 * log10(mean("energy")) AS "${name}" FROM (SELECT exp("result" * ${decibel}) AS "energy" FROM "observation" WHERE ${chosen} AND ${property(of)} AND $timeFilter) WHERE $timeFilter${grouping(over)}`;

/** Days of which only rollups are kept: cells of an hour, put together by the day. */
export const condensed = (select: string, of: string, by: Groups): string =>
  `SELECT ${select} FROM "observation_rollup" WHERE ${chosen} AND ${property(of)} AND "cell" = '3600' AND $timeFilter${grouping({ by, every: '1d', legal: true })}`;

export const meanOfCells = 'sum("sum") / sum("count")';

export const energyOfCells = '10 * log10(sum("energy") / sum("count"))';

/** What passed, by the hour. The panel's shortest interval must not be below the counter's period, or a bucket would hold a whole period's count. */
export const perHour = (name: string): string => `sum("result") * 3600000 / $__interval_ms AS "${name}"`;

export function influx(refId: string, datasource: SourceRef, query: string, alias?: string): InfluxTarget {
  return { refId, datasource, rawQuery: true, query, resultFormat: 'time_series', ...(alias === undefined ? {} : { alias }) };
}

export const influxTable = (refId: string, datasource: SourceRef, query: string): InfluxTarget => ({ refId, datasource, rawQuery: true, query, resultFormat: 'table' });

export const prometheus = (refId: string, expr: string, legendFormat: string): PrometheusTarget => ({ refId, datasource: metrics, editorMode: 'code', expr, legendFormat, range: true, instant: false });

/** A rate of a counter that appears only with its first event: nothing counted yet is 0, not missing. */
export const rate = (counter: string, by: string): string => `sum by (${by}) (rate(${counter}{job="hub", instance=~"$instance"}[$__rate_interval])) or on() vector(0)`;

export const quantile = (q: number, histogram: string, by = ''): string =>
  `histogram_quantile(${q}, sum by (le${by ? `, ${by}` : ''}) (rate(${histogram}_bucket{job="hub", instance=~"$instance"}[$__rate_interval])))`;

export const gauge = (name: string): string => `sum(${name}{job="hub", instance=~"$instance"})`;
