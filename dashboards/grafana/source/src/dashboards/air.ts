import { alarms, Board, dashboard, page, places, property, stationLinks } from '../panels.js';
import { condensed, figure, influx, meanOfCells, series } from '../queries.js';
import { indexSteps, indexWords, legal, type IndexPollutant } from '../limits.js';
import type { Dashboard } from '../schema.js';
import type { Text } from '../language.js';

const place = ['municipality', 'station'] as const;

const named: Record<IndexPollutant, Text> = { pm2_5: ['PM2,5', 'PM2.5'], pm10: ['PM10', 'PM10'], no2: ['NO2', 'NO2'], o3: ['O3 (ozono)', 'O3 (ozone)'], so2: ['SO2', 'SO2'] };

const daily: Text = [
  'Médias por dia legal (Lisboa), de todas as observações do dia: sem exigir 18 horas válidas, como a lei exige. Os dias de que só há resumos vêm dos resumos.',
  'Means by legal day (Lisbon) of all observations of the day: without asking for the 18 valid hours that the law asks for. Days of which only rollups are kept come from those.',
];

/** Pollutants against the index and the limits of the law. */
export function air(board: Board): Dashboard {
  board.row(['Índice', 'Index']);
  for (const pollutant of ['pm2_5', 'pm10', 'no2', 'o3'] as const) {
    const name = named[pollutant];
    board.timeline({
      title: [`Classe: ${name[0]}`, `Class: ${name[1]}`],
      description: ['Classe do índice europeu (EEA, 2024) deste poluente, médias horárias. O índice é o pior dos poluentes.', 'Class of this pollutant in the European index (EEA, 2024), hourly means. The index is the worst of the pollutants.'],
      targets: [influx('A', series, figure(`mean("result") AS "${pollutant}"`, pollutant, { every: '1h', by: place }), '$tag_station')],
      unit: 'conμgm3',
      thresholds: indexSteps(pollutant),
      mappings: indexWords(pollutant, board.say),
      links: stationLinks(board),
      height: 6,
    });
  }

  board.row(['Médias horárias e limites', 'Hourly means and limits']);
  for (const [pollutant, thresholds, title] of [['no2', legal.no2Hour, named.no2], ['o3', legal.o3Hour, named.o3], ['so2', legal.so2Hour, named.so2]] as const) {
    board.timeseries({
      title,
      description: ['Linhas: NO2 200 e SO2 350 µg/m³ (limites horários), O3 180 e 240 µg/m³ (limiares de informação e de alerta). Diretivas 2008/50/CE e (UE) 2024/2881.', 'Lines: NO2 200 and SO2 350 µg/m³ (hourly limits), O3 180 and 240 µg/m³ (information and alert thresholds). Directives 2008/50/EC and (EU) 2024/2881.'],
      targets: [influx('A', series, figure(`mean("result") AS "${pollutant}"`, pollutant, { every: '1h', by: place }), '$tag_station')],
      unit: 'conμgm3',
      decimals: 1,
      thresholds,
      lines: true,
      links: stationLinks(board),
    });
  }

  board.timeseries({
    title: ['CO', 'CO'],
    description: ['Linha: 10 mg/m³, o limite do máximo diário das médias de 8 horas; aqui são médias horárias.', 'Line: 10 mg/m³, the limit of the daily maximum of 8-hour means; hourly means are drawn here.'],
    targets: [influx('A', series, figure('mean("result") AS "co"', 'co', { every: '1h', by: place }), '$tag_station')],
    unit: 'conmgm3',
    decimals: 2,
    thresholds: legal.co8h,
    lines: true,
    links: stationLinks(board),
  });
  board.row(['Médias diárias e limites', 'Daily means and limits']);
  for (const [pollutant, thresholds, title, about] of [
    ['pm10', legal.pm10Day, ['PM10 por dia', 'PM10 by day'], [' Linhas: 50 µg/m³ (limite diário), 45 µg/m³ (a partir de 2030).', ' Lines: 50 µg/m³ (daily limit), 45 µg/m³ (from 2030).']],
    ['pm2_5', legal.pm25Day, ['PM2,5 por dia', 'PM2.5 by day'], [' Linhas: 25 µg/m³ (limite diário a partir de 2030), 15 µg/m³ (OMS, 2021).', ' Lines: 25 µg/m³ (daily limit from 2030), 15 µg/m³ (WHO, 2021).']],
  ] as const) {
    board.timeseries({
      title,
      description: [daily[0] + about[0], daily[1] + about[1]],
      targets: [
        influx('A', series, figure(`mean("result") AS "${pollutant}"`, pollutant, { every: '1d', legal: true, by: place }), '$tag_station'),
        influx('B', series, condensed(`${meanOfCells} AS "${pollutant}"`, pollutant, place), '$tag_station'),
      ],
      unit: 'conμgm3',
      decimals: 1,
      bars: true,
      thresholds,
      lines: true,
      links: stationLinks(board),
    });
  }

  board.row(['Grandeza escolhida', 'Chosen property']);
  board.timeseries({
    title: ['$property: média e extremos', '$property: mean and extremes'],
    description: ['Média, mínimo e máximo de cada intervalo do gráfico, por sensor.', "Mean, minimum and maximum of each of the chart's intervals, by sensor."],
    targets: [
      influx('A', series, figure('mean("result") AS "mean"', '/^$property$/', { by: ['municipality', 'station', 'sensor', 'property'] }), '$tag_property $tag_station $tag_sensor'),
      influx('B', series, figure('min("result") AS "min"', '/^$property$/', { by: ['municipality', 'station', 'sensor', 'property'] }), '$tag_property $tag_station $tag_sensor min'),
      influx('C', series, figure('max("result") AS "max"', '/^$property$/', { by: ['municipality', 'station', 'sensor', 'property'] }), '$tag_property $tag_station $tag_sensor max'),
    ],
    unit: 'none',
    unitOfProperty: true,
    decimals: 1,
    links: stationLinks(board),
    width: 24,
    interval: '1m',
  });
  board.row(['Condições', 'Conditions']);
  board.timeseries({
    title: ['Temperatura do ar', 'Air temperature'],
    targets: [influx('A', series, figure('mean("result") AS "temperature"', 'temperature', { by: place }), '$tag_station')],
    unit: 'celsius',
    decimals: 1,
    interval: '1m',
  });
  board.timeseries({
    title: ['Humidade relativa', 'Relative humidity'],
    description: ['Acima de cerca de 85 % os valores dos sensores óticos de partículas são suspeitos.', 'Above about 85 % values of optical particle sensors are suspect.'],
    targets: [influx('A', series, figure('mean("result") AS "humidity"', 'relative_humidity', { by: place }), '$tag_station')],
    unit: 'humidity',
    decimals: 0,
    min: 0,
    max: 100,
    interval: '1m',
  });
  return dashboard(
    board,
    'air',
    ['Qualidade do ar', 'Air quality'],
    ['Poluentes face ao índice europeu e aos limites da lei.', 'Pollutants against the European index and the limits of the law.'],
    [...places(board), property(board, '/^(pm1|pm2_5|pm4|pm10|no2|no|nox|o3|so2|co|co2)$/')],
    [alarms(board)],
    [page(board, ['Página da cidade', 'City page'], '/'), page(board, ['Alarmes', 'Alarms'], '/alarms')],
    { from: 'now-7d', to: 'now' },
    '5m',
  );
}
