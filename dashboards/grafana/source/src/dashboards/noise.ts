import { alarms, Board, dashboard, page, places, stationLinks } from '../panels.js';
import { condensed, energyMean, energyOfCells, figure, influx, series } from '../queries.js';
import { legal } from '../limits.js';
import type { Dashboard } from '../schema.js';

const place = ['municipality', 'station'] as const;

/** Levels: averaged as energy; percentiles never put together. */
export function noise(board: Board): Dashboard {
  board.bargauge({
    title: ['LAeq do intervalo', 'LAeq of the time range'],
    description: ['Nível equivalente contínuo de cada estação em todo o intervalo: média da energia.', 'Equivalent continuous level of each station over the whole time range: mean of the energy.'],
    targets: [influx('A', series, energyMean('laeq', 'LAeq', { every: null, by: place }), '$tag_station')],
    unit: 'dB',
    decimals: 1,
    min: 30,
    max: 90,
    thresholds: legal.lden,
    links: stationLinks(board),
  });
  board.timeseries({
    title: ['LAeq', 'LAeq'],
    description: ['Média da energia em cada intervalo do gráfico. Linhas: 65 e 55 dB(A), Lden anual das zonas mistas e sensíveis (RGR); um Lden diário ou anual está nas páginas e regras do hub.', "Mean of the energy in each of the chart's intervals. Lines: 65 and 55 dB(A), yearly Lden of mixed and sensitive zones (RGR); a daily or yearly Lden is in the hub's pages and rules."],
    targets: [influx('A', series, energyMean('laeq', 'LAeq', { by: place }), '$tag_station')],
    unit: 'dB',
    decimals: 1,
    thresholds: legal.lden,
    lines: true,
    links: stationLinks(board),
    width: 16,
    interval: '1m',
  });
  board.timeseries({
    title: ['LAFmax e LAFmin', 'LAFmax and LAFmin'],
    description: ['O maior dos máximos e o menor dos mínimos de cada intervalo do gráfico.', "The largest maximum and the smallest minimum of each of the chart's intervals."],
    targets: [
      influx('A', series, figure('max("result") AS "LAFmax"', 'lafmax', { by: place }), '$tag_station LAFmax'),
      influx('B', series, figure('min("result") AS "LAFmin"', 'lafmin', { by: place }), '$tag_station LAFmin'),
    ],
    unit: 'dB',
    decimals: 1,
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeseries({
    title: ['LA10, LA50 e LA90', 'LA10, LA50 and LA90'],
    description: ['O último valor de cada intervalo do gráfico: percentis de períodos curtos não se juntam num de um período longo.', "The last value of each of the chart's intervals: percentiles of short periods do not add up to that of a long one."],
    targets: [
      influx('A', series, figure('last("result") AS "LA10"', 'la10', { by: place }), '$tag_station LA10'),
      influx('B', series, figure('last("result") AS "LA50"', 'la50', { by: place }), '$tag_station LA50'),
      influx('C', series, figure('last("result") AS "LA90"', 'la90', { by: place }), '$tag_station LA90'),
    ],
    unit: 'dB',
    decimals: 1,
    links: stationLinks(board),
    interval: '1m',
  });
  board.heatmap(
    {
      title: ['Quantas horas a que nível', 'How many hours at which level'],
      description: ['LAeq de cada hora e estação, em classes de 5 dB.', 'LAeq of each hour and station, in classes of 5 dB.'],
      targets: [influx('A', series, energyMean('laeq', 'LAeq', { every: '1h', by: place }), '$tag_station')],
      unit: 'dB',
    },
    '5',
  );
  board.timeseries({
    title: ['LAeq por dia', 'LAeq by day'],
    description: ['Média da energia de cada dia legal (Lisboa): LAeq de 24 h, não Lden. Os dias de que só há resumos vêm dos resumos.', 'Mean of the energy of each legal day (Lisbon): LAeq of 24 h, not Lden. Days of which only rollups are kept come from those.'],
    targets: [
      influx('A', series, energyMean('laeq', 'LAeq', { every: '1d', legal: true, by: place }), '$tag_station'),
      influx('B', series, condensed(`${energyOfCells} AS "LAeq"`, 'laeq', place), '$tag_station'),
    ],
    unit: 'dB',
    decimals: 1,
    thresholds: legal.lden,
    lines: true,
    links: stationLinks(board),
  });
  return dashboard(
    board,
    'noise',
    ['Ruído', 'Noise'],
    ['Níveis sonoros: médias de energia, extremos, percentis.', 'Sound levels: means of energy, extremes, percentiles.'],
    places(board),
    [alarms(board)],
    [page(board, ['Página da cidade', 'City page'], '/'), page(board, ['Alarmes', 'Alarms'], '/alarms')],
    { from: 'now-24h', to: 'now' },
  );
}
