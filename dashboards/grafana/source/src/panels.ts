import type { Field, Panel, Row, Target, SourceRef, DataLink, Annotation, Variable, Dashboard } from './schema.js';
import type { Say, Text, Language } from './language.js';
import { chosen, hub, metrics, series } from './queries.js';
import { none, type Mapping } from './limits.js';

type PanelOf<Type extends Panel['type']> = Extract<Panel, { type: Type }>;

/** What most panels need to be told; the rest is the same everywhere. */
export type Sheet = {
  title: Text;
  description?: Text;
  source?: SourceRef;
  targets: Target[];
  unit: string;
  width?: number;
  height?: number;
  interval?: string;
  decimals?: number;
  min?: number;
  max?: number;
  thresholds?: NonNullable<Field<object>['thresholds']>;
  /** The unit is that of the property with which the names of the series begin. */
  unitOfProperty?: boolean;
  /** Draws the thresholds as lines. */
  lines?: boolean;
  mappings?: Mapping[];
  links?: DataLink[];
  /** Bars, stacked to the sum or to a hundred percent. */
  stack?: 'normal' | 'percent';
  bars?: boolean;
  /** Names a table's columns in the reader's language. */
  columns?: Record<string, { name: Text; unit?: string; hide?: boolean; mappings?: Mapping[] }>;
};

/** Units of the quantity catalogue (edge/Contract/Quantities) for panels that draw whichever property is chosen; what is counted has none. A test compares them with the catalogue. */
const units: readonly (readonly [unit: string, properties: string])[] = [
  ['conμgm3', 'pm1|pm2_5|pm4|pm10|no2|no|nox|o3|so2'],
  ['conmgm3', 'co'],
  ['ppm', 'co2'],
  ['suffix: /cm³', 'particle_number'],
  ['dB', 'laeq|lafmax|lafmin|la10|la50|la90|lcpeak|lzeq_[0-9_]+'],
  ['velocitykmh', 'mean_speed|space_mean_speed|v85'],
  ['percent', 'occupancy|battery_level|undervoltage|throttled|disk_free|disk_wear'],
  ['s', 'headway|travel_time|uptime|clock_sync_age|clock_step'],
  ['celsius', 'temperature|cpu_temperature'],
  ['humidity', 'relative_humidity'],
  ['pressurehpa', 'pressure'],
  ['lengthmm', 'rain'],
  ['m', 'rain_duration'],
  ['velocityms', 'wind_speed|wind_gust'],
  ['degree', 'wind_direction'],
  ['Wm2', 'solar_radiation'],
  ['volt', 'battery'],
  ['amp', 'supply_current'],
  ['watt', 'supply_power'],
  ['dBm', 'link_quality'],
];

/** Puts panels side by side, numbers them, and says everything in one language. */
export class Board {
  private readonly panels: (Panel | Row)[] = [];
  private x = 0;
  private y = 0;
  private tallest = 0;

  constructor(
    readonly language: Language,
    readonly say: Say,
  ) {}

  get all(): (Panel | Row)[] {
    return this.panels;
  }

  row(title: Text): void {
    this.wrap();
    this.panels.push({ id: this.panels.length + 1, type: 'row', title: this.say(title), collapsed: false, gridPos: { x: 0, y: this.y, w: 24, h: 1 }, panels: [] });
    this.y += 1;
  }

  timeseries(sheet: Sheet): void {
    const draw = sheet.bars || sheet.stack ? 'bars' : 'line';
    const panel: PanelOf<'timeseries'> = {
      ...this.shown(sheet, 12, 8),
      type: 'timeseries',
      options: { legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] }, tooltip: { mode: 'multi', sort: 'desc' } },
      fieldConfig: {
        defaults: {
          ...this.field(sheet),
          color: { mode: 'palette-classic-by-name' },
          custom: {
            drawStyle: draw,
            lineWidth: draw === 'bars' ? 0 : 1,
            fillOpacity: draw === 'bars' ? 80 : 0,
            showPoints: 'auto',
            // A gap is a gap in the line.
            spanNulls: false,
            insertNulls: false,
            stacking: { mode: sheet.stack ?? 'none', group: 'A' },
            thresholdsStyle: { mode: sheet.lines ? 'dashed' : 'off' },
          },
        },
        overrides: sheet.unitOfProperty ? units.map(([unit, properties]) => ({ matcher: { id: 'byRegexp', options: `/^(${properties})( |$)/` }, properties: [{ id: 'unit', value: unit }] })) : [],
      },
    };
    this.panels.push(panel);
  }

  stat(sheet: Sheet): void {
    const panel: PanelOf<'stat'> = {
      ...this.shown(sheet, 4, 4),
      type: 'stat',
      options: {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        orientation: 'auto',
        colorMode: 'value',
        graphMode: 'area',
        justifyMode: 'auto',
        textMode: 'auto',
        wideLayout: true,
        showPercentChange: false,
        percentChangeColorMode: 'standard',
      },
      fieldConfig: { defaults: { ...this.field(sheet), color: { mode: 'thresholds' } }, overrides: [] },
    };
    this.panels.push(panel);
  }

  bargauge(sheet: Sheet): void {
    const panel: PanelOf<'bargauge'> = {
      ...this.shown(sheet, 8, 8),
      type: 'bargauge',
      options: {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        orientation: 'horizontal',
        displayMode: 'basic',
        valueMode: 'text',
        namePlacement: 'left',
        showUnfilled: true,
        sizing: 'auto',
        minVizWidth: 8,
        minVizHeight: 16,
        maxVizHeight: 300,
        legend: { showLegend: false, displayMode: 'list', placement: 'bottom', calcs: [] },
      },
      fieldConfig: { defaults: { ...this.field(sheet), color: { mode: 'thresholds' } }, overrides: [] },
    };
    this.panels.push(panel);
  }

  timeline(sheet: Sheet): void {
    const panel: PanelOf<'state-timeline'> = {
      ...this.shown(sheet, 12, 8),
      type: 'state-timeline',
      options: { mergeValues: true, rowHeight: 0.9, showValue: 'auto', alignValue: 'left', legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] }, tooltip: { mode: 'single', sort: 'none' } },
      fieldConfig: { defaults: { ...this.field(sheet), color: { mode: 'thresholds' }, custom: { lineWidth: 0, fillOpacity: 80 } }, overrides: [] },
    };
    this.panels.push(panel);
  }

  heatmap(sheet: Sheet, bucket: string): void {
    const panel: PanelOf<'heatmap'> = {
      ...this.shown(sheet, 12, 8),
      type: 'heatmap',
      options: {
        calculate: true,
        calculation: { xBuckets: { mode: 'size' }, yBuckets: { mode: 'size', value: bucket } },
        // Light is seldom, dark is often, in either theme and for any eye.
        color: { mode: 'scheme', scheme: 'Cividis', steps: 32, exponent: 0.5, fill: 'dark-blue', reverse: false },
        cellGap: 1,
        exemplars: { color: 'rgba(255,0,255,0.7)' },
        filterValues: { le: 1e-9 },
        legend: { show: true },
        showValue: 'never',
        tooltip: { mode: 'single', yHistogram: false },
        yAxis: { axisPlacement: 'left', reverse: false, unit: sheet.unit },
      },
      fieldConfig: { defaults: { ...this.field(sheet), custom: { hideFrom: { legend: false, tooltip: false, viz: false }, scaleDistribution: { type: 'linear' } } }, overrides: [] },
    };
    this.panels.push(panel);
  }

  table(sheet: Sheet): void {
    const panel: PanelOf<'table'> = {
      ...this.shown(sheet, 12, 8),
      type: 'table',
      options: { showHeader: true, frameIndex: 0, cellHeight: 'sm' },
      fieldConfig: { defaults: { ...this.field(sheet), color: { mode: 'thresholds' }, custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: true } }, overrides: this.overrides(sheet) },
    };
    this.panels.push(panel);
  }

  geomap(sheet: Sheet): void {
    const panel: PanelOf<'geomap'> = {
      ...this.shown(sheet, 12, 14),
      type: 'geomap',
      options: {
        view: { id: 'fit', allLayers: true, lat: 39.6, lon: -8, zoom: 6, padding: 10, shared: false },
        controls: { showZoom: true, mouseWheelZoom: false, showAttribution: true, showScale: true },
        basemap: { type: 'default', name: 'basemap' },
        layers: [
          {
            type: 'markers',
            name: this.say(['Estações', 'Stations']),
            tooltip: true,
            location: { mode: 'coords', latitude: 'latitude', longitude: 'longitude' },
            config: {
              showLegend: false,
              style: { color: { fixed: '#3b8bc4' }, opacity: 0.8, size: { fixed: 7, min: 2, max: 15 }, symbol: { fixed: 'img/icons/marker/circle.svg', mode: 'fixed' }, text: { field: 'name', fixed: '', mode: 'field' }, textConfig: { fontSize: 12, offsetX: 0, offsetY: 14, textAlign: 'center', textBaseline: 'top' } },
            },
          },
        ],
        tooltip: { mode: 'details' },
      },
      fieldConfig: { defaults: { ...this.field(sheet), color: { mode: 'fixed', fixedColor: '#3b8bc4' } }, overrides: this.overrides(sheet) },
    };
    this.panels.push(panel);
  }

  private shown(sheet: Sheet, width: number, height: number): { id: number; title: string; gridPos: Panel['gridPos']; datasource: SourceRef; targets: Target[] } {
    return {
      ...this.frame(sheet, sheet.width ?? width, sheet.height ?? height),
      datasource: sheet.source ?? series,
      targets: sheet.targets,
      ...(sheet.interval ? { interval: sheet.interval } : {}),
    };
  }

  private frame(sheet: { title: Text; description?: Text }, width: number, height: number): { id: number; title: string; description?: string; gridPos: Panel['gridPos'] } {
    if (this.x + width > 24) {
      this.wrap();
    }

    const gridPos = { x: this.x, y: this.y, w: width, h: height };
    this.x += width;
    this.tallest = Math.max(this.tallest, height);
    return { id: this.panels.length + 1, title: this.say(sheet.title), ...(sheet.description ? { description: this.say(sheet.description) } : {}), gridPos };
  }

  private field(sheet: Sheet): Field<never> {
    return {
      unit: sheet.unit,
      noValue: this.say(['sem dados', 'no data']),
      thresholds: sheet.thresholds ?? none,
      mappings: sheet.mappings ?? [],
      ...(sheet.decimals === undefined ? {} : { decimals: sheet.decimals }),
      ...(sheet.min === undefined ? {} : { min: sheet.min }),
      ...(sheet.max === undefined ? {} : { max: sheet.max }),
      ...(sheet.links ? { links: sheet.links } : {}),
    };
  }

  private overrides(sheet: Sheet): PanelOf<'table'>['fieldConfig']['overrides'] {
    return Object.entries(sheet.columns ?? {}).map(([column, { name, unit, hide, mappings }]) => ({
      matcher: { id: 'byName', options: column },
      properties: [
        { id: 'displayName', value: this.say(name) },
        ...(unit ? [{ id: 'unit', value: unit }] : []),
        ...(hide ? [{ id: 'custom.hideFrom.viz', value: true }] : []),
        ...(mappings ? [{ id: 'mappings', value: mappings }] : []),
      ],
    }));
  }

  private wrap(): void {
    this.y += this.tallest;
    this.x = 0;
    this.tallest = 0;
  }
}

export type Kind = 'city' | 'air' | 'noise' | 'traffic' | 'station' | 'fleet' | 'operations';

export const uid = (kind: Kind, language: Language): string => `hub-${kind}${language === 'pt' ? '' : '-en'}`;

// Whichever fields a panel has, the station of the one that is clicked on.
const label = (tag: string): string => `\${__field.labels.${tag}}`;

/** From a series of a station to its dashboard and to its page in the hub. The series must be grouped by municipality and station. */
export const stationLinks = (board: Board): DataLink[] => [
  { title: board.say(['Painel da estação', 'Dashboard of the station']), url: `/d/${uid('station', board.language)}?var-municipality=${label('municipality')}&var-station=${label('station')}&\${__url_time_range}` },
  { title: board.say(['Página da estação no hub', "The station's page in the hub"]), url: `\${hub}/stations/${label('municipality')}/${label('station')}`, targetBlank: true },
];

/** The same from a row of a table that has the columns municipality and station. */
export const rowLinks = (board: Board): DataLink[] => [
  { title: board.say(['Painel da estação', 'Dashboard of the station']), url: `/d/${uid('station', board.language)}?var-municipality=\${__data.fields.municipality}&var-station=\${__data.fields.station}&\${__url_time_range}` },
  { title: board.say(['Página da estação no hub', "The station's page in the hub"]), url: '${hub}/stations/${__data.fields.municipality}/${__data.fields.station}', targetBlank: true },
];

/** Where the hub's pages are: whoever serves the dashboards puts the hub's public address in its place (README). */
const hubAddress: Variable = { type: 'constant', name: 'hub', label: 'Hub', hide: 2, query: 'https://localhost:8443', skipUrlSync: true, current: { text: 'https://localhost:8443', value: 'https://localhost:8443', selected: true } };

const everything = (board: Board): NonNullable<Variable['current']> => ({ selected: true, text: [board.say(['Todas', 'All'])], value: ['$__all'] });

/** Municipality and station, the second chosen among those of the first. */
export function places(board: Board, one = false): Variable[] {
  const several: Partial<Variable> = one ? { multi: false, includeAll: false } : { multi: true, includeAll: true, allValue: '.*', current: everything(board) };
  return [
    hubAddress,
    { type: 'query', name: 'municipality', label: board.say(['Município', 'Municipality']), datasource: series, query: 'SHOW TAG VALUES FROM "observation" WITH KEY = "municipality"', refresh: 1, sort: 1, ...several },
    { type: 'query', name: 'station', label: board.say(['Estação', 'Station']), datasource: series, query: 'SHOW TAG VALUES FROM "observation" WITH KEY = "station" WHERE "municipality" =~ /^$municipality$/', refresh: 1, sort: 1, ...several },
  ];
}

/** The observed property, among those that the chosen stations have and that fit the expression. */
export const property = (board: Board, regex: string): Variable => ({
  type: 'query',
  name: 'property',
  label: board.say(['Grandeza', 'Property']),
  datasource: series,
  query: 'SHOW TAG VALUES FROM "observation" WITH KEY = "property" WHERE "municipality" =~ /^$municipality$/ AND "station" =~ /^$station$/',
  regex,
  refresh: 1,
  sort: 1,
  multi: false,
  includeAll: false,
});

export const instance = (board: Board): Variable[] => [
  hubAddress,
  { type: 'query', name: 'instance', label: board.say(['Servidor', 'Server']), datasource: metrics, query: { query: 'label_values(up{job="hub"}, instance)', refId: 'instance' }, refresh: 1, sort: 1, multi: true, includeAll: true, allValue: '.*', current: everything(board) },
];

/** The fields in which the hub tells of an alarm in the reader's language. */
export const told = (board: Board): { title: string; text: string } => (board.language === 'pt' ? { title: 'title', text: 'text' } : { title: 'title_en', text: 'text_en' });

/** Alarms as annotations: their beginnings and ends, as the hub tells them. */
export function alarms(board: Board, everywhere = false): Annotation {
  const { title, text } = told(board);
  return {
    name: board.say(['Alarmes', 'Alarms']),
    datasource: hub,
    enable: true,
    iconColor: '#c8452f',
    query: `SELECT "${title}", "${text}", "severity", "rule", "station", "kind" FROM "alarm" WHERE ${everywhere ? '' : `${chosen} AND `}$timeFilter ORDER BY time DESC LIMIT 500`,
    titleColumn: title,
    textColumn: text,
    tagsColumn: 'severity,rule,station,kind',
  };
}

/** A page of the hub as a link on top of a dashboard. */
export const page = (board: Board, title: Text, path: string): Dashboard['links'][number] => ({
  title: board.say(title), type: 'link', icon: 'external link', tooltip: '', url: `\${hub}${path}`, tags: [], asDropdown: false, targetBlank: true, includeVars: false, keepTime: false,
});

/** The whole of a dashboard around its panels. */
export function dashboard(board: Board, kind: Kind, title: Text, description: Text, variables: Variable[], annotations: Annotation[], pages: Dashboard['links'], time: { from: string; to: string }, refresh = '1m'): Dashboard {
  const tag = board.language === 'pt' ? 'hub' : 'hub-en';
  return {
    id: null,
    uid: uid(kind, board.language),
    title: board.say(title),
    description: board.say(description),
    tags: [tag],
    timezone: 'browser',
    weekStart: 'monday',
    editable: false,
    graphTooltip: 1,
    schemaVersion: 42,
    version: 1,
    time,
    refresh,
    timepicker: {},
    fiscalYearStartMonth: 0,
    links: [
      { title: board.say(['Painéis', 'Dashboards']), type: 'dashboards', icon: 'external link', tooltip: '', tags: [tag], asDropdown: true, targetBlank: false, includeVars: true, keepTime: true },
      ...pages,
    ],
    templating: { list: variables },
    annotations: { list: annotations },
    panels: board.all,
  };
}
