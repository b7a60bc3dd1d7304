// The published schema of Grafana's dashboards (@grafana/schema), in the form that JSON has: its enumerations are the words or numbers that stand in the file.
import type * as grafana from '@grafana/schema';
import type { Options as BarGaugeOptions } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as GeomapOptions } from '@grafana/schema/dist/esm/raw/composable/geomap/panelcfg/x/GeomapPanelCfg_types.gen';
import type { FieldConfig as HeatmapField, Options as HeatmapOptions } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { FieldConfig as TimelineField, Options as TimelineOptions } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { FieldConfig as TableField, Options as TableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { FieldConfig as TimeSeriesField, Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as its JSON: an enumeration of words becomes the words, one of numbers the numbers. */
export type Plain<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T : T extends readonly (infer Item)[] ? Plain<Item>[] : T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;

export type SourceRef = { type: 'influxdb' | 'prometheus'; uid: 'hub-series' | 'hub' | 'hub-prometheus' };

/** A question in InfluxQL as Grafana's InfluxDB data source keeps it. */
export type InfluxTarget = { refId: string; datasource: SourceRef; rawQuery: true; query: string; resultFormat: 'time_series' | 'table'; alias?: string };

/** A question in PromQL as Grafana's Prometheus data source keeps it. */
export type PrometheusTarget = { refId: string; datasource: SourceRef; editorMode: 'code'; expr: string; legendFormat: string; range: boolean; instant: boolean };

export type Target = InfluxTarget | PrometheusTarget;

export type DataLink = { title: string; url: string; targetBlank?: boolean };

/** What a field of a panel looks like; the schema leaves what an override's property holds open. */
export type Field<Custom> = Omit<Plain<grafana.FieldConfig>, 'custom' | 'links'> & { custom?: Plain<Custom>; links?: DataLink[] };

type Frame = {
  id: number;
  title: string;
  description?: string;
  gridPos: Plain<grafana.GridPos>;
  links?: Plain<grafana.DashboardLink>[];
  interval?: string;
  transformations?: Plain<grafana.DataTransformerConfig>[];
};

type Shown<Type extends string, Options, Custom> = Frame & {
  type: Type;
  datasource: SourceRef;
  targets: Target[];
  options: Plain<Options>;
  fieldConfig: { defaults: Field<Custom>; overrides: Plain<grafana.FieldConfigSource>['overrides'] };
};

/** The panels that the dashboards are made of, each with the options its own schema has. */
export type Panel =
  | Shown<'timeseries', TimeSeriesOptions, TimeSeriesField>
  | Shown<'stat', StatOptions, Record<string, unknown>>
  | Shown<'bargauge', BarGaugeOptions, Record<string, unknown>>
  | Shown<'table', TableOptions, TableField>
  | Shown<'state-timeline', TimelineOptions, TimelineField>
  | Shown<'heatmap', HeatmapOptions, HeatmapField>
  | Shown<'geomap', GeomapOptions, Record<string, unknown>>;

export type Row = Omit<Plain<grafana.RowPanel>, 'panels' | 'gridPos'> & { gridPos: Plain<grafana.GridPos>; panels: [] };

export type Variable = Omit<Plain<grafana.VariableModel>, 'datasource'> & { datasource?: SourceRef };

/** An annotation; its question and columns are the InfluxDB data source's own. */
export type Annotation = Omit<Plain<grafana.AnnotationQuery>, 'datasource' | 'target' | 'snapshotData'> & {
  datasource: SourceRef;
  query: string;
  titleColumn: string;
  textColumn: string;
  tagsColumn: string;
};

export type Dashboard = Omit<Plain<grafana.Dashboard>, 'panels' | 'templating' | 'annotations' | 'uid' | 'title' | 'links'> & {
  uid: string;
  title: string;
  description: string;
  links: Plain<grafana.DashboardLink>[];
  templating: { list: Variable[] };
  annotations: { list: Annotation[] };
  panels: (Panel | Row)[];
};

/** That our narrower types are still the published ones: the compiler refuses this line when they are not. */
export const published = (dashboard: Dashboard): Plain<Omit<grafana.Dashboard, 'panels' | 'annotations'>> & { panels?: Plain<grafana.Panel | grafana.RowPanel>[]; annotations?: { list?: Omit<Plain<grafana.AnnotationQuery>, 'target'>[] } } => dashboard;
