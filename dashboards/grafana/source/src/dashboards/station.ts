import { alarms, Board, dashboard, page, places, property } from '../panels.js';
import { condensed, figure, influx, influxTable, meanOfCells, series } from '../queries.js';
import { atLeast, steps } from '../limits.js';
import type { Dashboard } from '../schema.js';

/** Everything of one station. */
export function station(board: Board): Dashboard {
  board.stat({
    title: ['Observações', 'Observations'],
    targets: [influx('A', series, figure('count("result") AS "observations"', '/.*/', { every: null }))],
    unit: 'short',
    decimals: 0,
    width: 6,
  });
  board.stat({
    title: ['Com reservas', 'With reservations'],
    description: ['Observações com alguma marca de qualidade: fora do plausível, parado, relógio incerto e outras.', 'Observations with some flag of quality: out of range, stuck, clock uncertain and others.'],
    targets: [influx('A', series, figure('count("result") AS "flagged"', '/.*/', { every: null, where: '"quality" > 0' }))],
    unit: 'short',
    decimals: 0,
    thresholds: steps([1, '#f09a3e']),
    width: 6,
  });
  board.stat({
    title: ['Bateria', 'Battery'],
    targets: [influx('A', series, figure('last("result") AS "battery"', 'battery', { by: ['sensor'] }), '$tag_sensor')],
    unit: 'volt',
    decimals: 2,
    width: 6,
  });
  board.stat({
    title: ['Disco livre', 'Free disk'],
    targets: [influx('A', series, figure('last("result") AS "disk_free"', 'disk_free', { by: ['sensor'] }), '$tag_sensor')],
    unit: 'percent',
    decimals: 0,
    thresholds: atLeast(5, 15),
    width: 6,
  });
  board.timeseries({
    title: ['$property por sensor', '$property by sensor'],
    description: ['Valor médio de cada intervalo do gráfico. De níveis sonoros (dB) veja o painel Ruído: a média aritmética de decibéis não é um nível.', 'Mean of each of the chart\'s intervals. For sound levels (dB) see the dashboard Noise: an arithmetic mean of decibels is not a level.'],
    targets: [
      influx('A', series, figure('mean("result") AS "mean"', '/^$property$/', { by: ['sensor', 'property', 'period'] }), '$tag_property $tag_sensor $tag_period s'),
      influx('B', series, figure('max("result") AS "max"', '/^$property$/', { by: ['sensor', 'property', 'period'] }), '$tag_property $tag_sensor $tag_period s max'),
      influx('C', series, figure('min("result") AS "min"', '/^$property$/', { by: ['sensor', 'property', 'period'] }), '$tag_property $tag_sensor $tag_period s min'),
    ],
    unit: 'none',
    unitOfProperty: true,
    decimals: 2,
    width: 24,
    height: 10,
    interval: '10s',
  });
  board.timeseries({
    title: ['$property: antes e depois da calibração', '$property: before and after calibration'],
    description: ['O valor do instrumento (raw) e o calibrado, onde ambos se guardam.', "The instrument's value (raw) and the calibrated one, where both are kept."],
    targets: [influx('A', series, figure('mean("raw") AS "raw", mean("result") AS "calibrated"', '/^$property$/', { by: ['sensor', 'property'] }), '$tag_property $tag_sensor $col')],
    unit: 'none',
    unitOfProperty: true,
    decimals: 2,
    interval: '1m',
  });
  board.timeseries({
    title: ['$property por dia, com resumos', '$property by day, with rollups'],
    description: ['Médias por dia legal (Lisboa). Os dias de que já só há resumos vêm dos resumos.', 'Means by legal day (Lisbon). Days of which only rollups are kept come from those.'],
    targets: [
      influx('A', series, figure('mean("result") AS "mean"', '/^$property$/', { every: '1d', legal: true, by: ['sensor', 'property'] }), '$tag_property $tag_sensor'),
      influx('B', series, condensed(`${meanOfCells} AS "mean"`, '/^$property$/', ['sensor', 'property']), '$tag_property $tag_sensor'),
    ],
    unit: 'none',
    unitOfProperty: true,
    decimals: 2,
    bars: true,
  });
  board.table({
    title: ['Último valor de cada série', 'Latest value of each series'],
    targets: [influxTable('A', series, figure('last("result") AS "value"', '/.*/', { every: null, by: ['sensor', 'property', 'period'] }))],
    unit: 'none',
    decimals: 2,
    columns: { Time: { name: ['Quando', 'When'] }, sensor: { name: ['Sensor', 'Sensor'] }, property: { name: ['Grandeza', 'Property'] }, period: { name: ['Período', 'Period'], unit: 's' }, value: { name: ['Valor', 'Value'] } },
  });
  board.timeseries({
    title: ['Observações por intervalo', 'Observations by interval'],
    description: ['Quantas observações há de cada grandeza: uma falha é uma falha na linha.', 'How many observations there are of each property: a gap is a gap in the line.'],
    targets: [influx('A', series, figure('count("result") AS "observations"', '/.*/', { by: ['property'] }), '$tag_property')],
    unit: 'short',
    decimals: 0,
    min: 0,
    interval: '1m',
  });
  return dashboard(
    board,
    'station',
    ['Estação', 'Station'],
    ['Todas as séries de uma estação.', 'All series of one station.'],
    [...places(board, true), property(board, '')],
    [alarms(board)],
    [page(board, ['Página da estação', 'Station page'], '/stations/${municipality}/${station}'), page(board, ['Agente da estação', "The station's agent"], '/stations/${municipality}/${station}/agent')],
    { from: 'now-24h', to: 'now' },
  );
}
