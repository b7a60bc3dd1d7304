import { alarms, Board, dashboard, page, places, stationLinks } from '../panels.js';
import { figure, influx, perHour, series } from '../queries.js';
import type { Dashboard } from '../schema.js';

const place = ['municipality', 'station'] as const;

/** Counts become flows; speeds are those of the counters. */
export function traffic(board: Board): Dashboard {
  board.timeseries({
    title: ['Fluxo', 'Flow'],
    description: ['Contagens de cada intervalo do gráfico por hora. O intervalo é de uma hora pelo menos: mais curto do que o período de um contador daria picos que não houve.', "Counts of each of the chart's intervals, by the hour. The interval is at least an hour: shorter than a counter's period it would show peaks that there were not."],
    targets: [influx('A', series, figure(perHour('veh/h'), 'vehicle_count', { by: place }), '$tag_station')],
    unit: 'suffix: veh/h',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    width: 24,
    interval: '1h',
  });
  board.timeseries({
    title: ['Classes de veículos', 'Classes of vehicles'],
    description: ['Partes de cada classe no que foi contado, todas as estações escolhidas juntas.', 'Shares of each class in what was counted, all chosen stations together.'],
    targets: [influx('A', series, figure('sum("result") AS "vehicles"', '/^vehicle_count_/', { by: ['property'] }), '$tag_property')],
    unit: 'short',
    decimals: 0,
    min: 0,
    stack: 'percent',
    interval: '1h',
  });
  board.timeseries({
    title: ['Peões e bicicletas por hora', 'Pedestrians and bicycles an hour'],
    targets: [
      influx('A', series, figure(perHour('pedestrians/h'), 'pedestrian_count', { by: place }), '$tag_station'),
      influx('B', series, figure(perHour('bicycles/h'), 'bicycle_count', { by: place }), '$tag_station'),
    ],
    unit: 'suffix: /h',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    interval: '1h',
  });
  board.timeseries({
    title: ['Velocidade média', 'Mean speed'],
    description: ['Média aritmética das velocidades (no tempo) e média harmónica (no espaço), como os contadores as dão; não são ponderadas pelo número de veículos.', 'Arithmetic mean of the speeds (in time) and harmonic mean (in space), as the counters give them; not weighted by the number of vehicles.'],
    targets: [
      influx('A', series, figure('mean("result") AS "mean_speed"', 'mean_speed', { by: place }), '$tag_station'),
      influx('B', series, figure('mean("result") AS "space_mean_speed"', 'space_mean_speed', { by: place }), '$tag_station'),
    ],
    unit: 'velocitykmh',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    interval: '5m',
  });
  board.timeseries({
    title: ['V85', 'V85'],
    description: ['O maior valor de cada intervalo do gráfico: V85 de períodos curtos não se juntam no de um período longo.', "The largest value of each of the chart's intervals: V85 of short periods do not add up to that of a long one."],
    targets: [influx('A', series, figure('max("result") AS "v85"', 'v85', { by: place }), '$tag_station')],
    unit: 'velocitykmh',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    interval: '5m',
  });
  board.timeseries({
    title: ['Ocupação', 'Occupancy'],
    targets: [influx('A', series, figure('mean("result") AS "occupancy"', 'occupancy', { by: place }), '$tag_station')],
    unit: 'percent',
    decimals: 0,
    min: 0,
    max: 100,
    links: stationLinks(board),
    interval: '5m',
  });
  board.timeseries({
    title: ['Tempo de percurso', 'Travel time'],
    targets: [influx('A', series, figure('mean("result") AS "travel_time"', 'travel_time', { by: place }), '$tag_station')],
    unit: 's',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    interval: '5m',
  });
  board.timeseries({
    title: ['Veículos por dia', 'Vehicles a day'],
    description: ['Por dia legal (Lisboa).', 'By legal day (Lisbon).'],
    targets: [influx('A', series, figure('sum("result") AS "vehicles"', 'vehicle_count', { every: '1d', legal: true, by: place }), '$tag_station')],
    unit: 'short',
    decimals: 0,
    min: 0,
    bars: true,
    links: stationLinks(board),
    width: 24,
  });
  return dashboard(
    board,
    'traffic',
    ['Trânsito', 'Traffic'],
    ['Fluxos, classes, velocidades, ocupação.', 'Flows, classes, speeds, occupancy.'],
    places(board),
    [alarms(board)],
    [page(board, ['Página da cidade', 'City page'], '/'), page(board, ['Alarmes', 'Alarms'], '/alarms')],
    { from: 'now-7d', to: 'now' },
    '5m',
  );
}
