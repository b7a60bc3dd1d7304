import { alarms, Board, dashboard, page, places, rowLinks, stationLinks, told } from '../panels.js';
import { chosen, energyMean, figure, hub, influx, influxTable, perHour, series } from '../queries.js';
import { indexSteps, indexWords, legal, steps } from '../limits.js';
import type { Dashboard } from '../schema.js';

const place = ['municipality', 'station'] as const;

/** The whole city on one screen. */
export function city(board: Board): Dashboard {
  const { title, text } = told(board);
  board.stat({
    title: ['Estações com dados', 'Stations with data'],
    description: ['Estações escolhidas com pelo menos uma observação no intervalo.', 'Chosen stations with at least one observation in the time range.'],
    targets: [influx('A', series, 'SELECT count("value") AS "stations" FROM (SELECT last("result") AS "value" FROM "observation" WHERE "municipality" =~ /^$municipality$/ AND "station" =~ /^$station$/ AND $timeFilter GROUP BY "municipality", "station")')],
    unit: 'none',
    decimals: 0,
    width: 6,
  });
  board.stat({
    title: ['PM2,5 mais alto', 'Highest PM2.5'],
    description: ['A média mais alta de uma estação no intervalo. Cores: índice europeu, classes de 2024.', 'The highest mean of a station over the time range. Colours: European index, classes of 2024.'],
    targets: [influx('A', series, 'SELECT max("mean") AS "PM2.5" FROM (SELECT mean("result") FROM "observation" WHERE "municipality" =~ /^$municipality$/ AND "station" =~ /^$station$/ AND "property" = \'pm2_5\' AND $timeFilter GROUP BY "municipality", "station")')],
    unit: 'conμgm3',
    decimals: 1,
    thresholds: indexSteps('pm2_5'),
    width: 6,
  });
  board.stat({
    title: ['NO2 mais alto', 'Highest NO2'],
    description: ['A média mais alta de uma estação no intervalo. Cores: índice europeu, classes de 2024.', 'The highest mean of a station over the time range. Colours: European index, classes of 2024.'],
    targets: [influx('A', series, 'SELECT max("mean") AS "NO2" FROM (SELECT mean("result") FROM "observation" WHERE "municipality" =~ /^$municipality$/ AND "station" =~ /^$station$/ AND "property" = \'no2\' AND $timeFilter GROUP BY "municipality", "station")')],
    unit: 'conμgm3',
    decimals: 1,
    thresholds: indexSteps('no2'),
    width: 6,
  });
  board.stat({
    title: ['Veículos contados', 'Vehicles counted'],
    targets: [influx('A', series, figure('sum("result") AS "vehicles"', 'vehicle_count', { every: null }))],
    unit: 'short',
    decimals: 0,
    width: 6,
  });
  board.geomap({
    title: ['Estações', 'Stations'],
    description: ['Onde estão as estações e quando foram ouvidas pela última vez. Pergunta-se sempre ao hub.', 'Where the stations are and when they were last heard of. Always asked of the hub.'],
    source: hub,
    targets: [influxTable('A', hub, 'SELECT last("latitude") AS "latitude", last("longitude") AS "longitude", last("name") AS "name", last("last_seen") AS "last_seen" FROM "station" WHERE "municipality" =~ /^$municipality$/ AND "station" =~ /^$station$/ GROUP BY "municipality", "station"')],
    unit: 'none',
    links: rowLinks(board),
    columns: { last_seen: { name: ['Ouvida', 'Last heard'], unit: 'dateTimeFromNow' }, name: { name: ['Nome', 'Name'] }, latitude: { name: ['Latitude', 'Latitude'], unit: 'degree' }, longitude: { name: ['Longitude', 'Longitude'], unit: 'degree' } },
  });
  board.bargauge({
    title: ['Ruído: LAeq do intervalo', 'Noise: LAeq of the time range'],
    description: ['Nível equivalente de cada estação: média da energia, nunca dos decibéis.', 'Equivalent level of each station: mean of the energy, never of the decibels.'],
    targets: [influx('A', series, energyMean('laeq', 'LAeq', { every: null, by: place }), '$tag_station')],
    unit: 'dB',
    decimals: 1,
    min: 30,
    max: 90,
    thresholds: legal.lden,
    links: stationLinks(board),
    width: 6,
    height: 7,
  });
  board.bargauge({
    title: ['PM2,5: média do intervalo', 'PM2.5: mean of the time range'],
    targets: [influx('A', series, figure('mean("result") AS "PM2.5"', 'pm2_5', { every: null, by: place }), '$tag_station')],
    unit: 'conμgm3',
    decimals: 1,
    min: 0,
    max: 50,
    thresholds: indexSteps('pm2_5'),
    links: stationLinks(board),
    width: 6,
    height: 7,
  });
  board.bargauge({
    title: ['NO2: média do intervalo', 'NO2: mean of the time range'],
    targets: [influx('A', series, figure('mean("result") AS "NO2"', 'no2', { every: null, by: place }), '$tag_station')],
    unit: 'conμgm3',
    decimals: 1,
    min: 0,
    max: 150,
    thresholds: indexSteps('no2'),
    links: stationLinks(board),
    width: 6,
    height: 7,
  });
  board.bargauge({
    title: ['Trânsito: veículos contados', 'Traffic: vehicles counted'],
    targets: [influx('A', series, figure('sum("result") AS "vehicles"', 'vehicle_count', { every: null, by: place }), '$tag_station')],
    unit: 'short',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    width: 6,
    height: 7,
  });
  board.row(['Evolução', 'Over time']);
  board.timeline({
    title: ['Classe do ar por PM2,5', 'Class of the air by PM2.5'],
    description: ['Índice europeu (EEA, 2024) só com as PM2,5, médias horárias. O índice completo, com o poluente dominante, está nas páginas do hub.', 'European index (EEA, 2024) by PM2.5 alone, hourly means. The whole index, with its dominant pollutant, is on the hub\'s pages.'],
    targets: [influx('A', series, figure('mean("result") AS "PM2.5"', 'pm2_5', { every: '1h', by: place }), '$tag_station')],
    unit: 'conμgm3',
    thresholds: indexSteps('pm2_5'),
    mappings: indexWords('pm2_5', board.say),
  });
  board.timeseries({
    title: ['PM2,5', 'PM2.5'],
    targets: [influx('A', series, figure('mean("result") AS "PM2.5"', 'pm2_5', { by: place }), '$tag_station')],
    unit: 'conμgm3',
    decimals: 1,
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeseries({
    title: ['LAeq', 'LAeq'],
    targets: [influx('A', series, energyMean('laeq', 'LAeq', { by: place }), '$tag_station')],
    unit: 'dB',
    decimals: 1,
    thresholds: legal.lden,
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeseries({
    title: ['Veículos por hora', 'Vehicles an hour'],
    targets: [influx('A', series, figure(perHour('veh/h'), 'vehicle_count', { by: place }), '$tag_station')],
    unit: 'suffix: veh/h',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    interval: '1h',
  });
  board.table({
    title: ['Alarmes do intervalo', 'Alarms of the time range'],
    source: hub,
    targets: [influxTable('A', hub, `SELECT "${title}", "severity", "kind", "municipality", "station", "rule", "${text}" FROM "alarm" WHERE ${chosen} AND $timeFilter ORDER BY time DESC LIMIT 100`)],
    unit: 'none',
    width: 24,
    thresholds: steps(),
    links: rowLinks(board),
    columns: { Time: { name: ['Quando', 'When'] }, [title]: { name: ['Alarme', 'Alarm'] }, severity: { name: ['Gravidade', 'Severity'] }, kind: { name: ['O quê', 'What'], mappings: [{ type: 'value', options: { start: { text: board.say(['começou', 'started']), index: 0 }, end: { text: board.say(['terminou', 'ended']), index: 1 } } }] }, municipality: { name: ['Município', 'Municipality'] }, station: { name: ['Estação', 'Station'] }, rule: { name: ['Regra', 'Rule'] }, [text]: { name: ['Descrição', 'Description'] } },
  });
  return dashboard(
    board,
    'city',
    ['Cidade: visão geral', 'City: overview'],
    ['Estações, ar, ruído e trânsito de um ou vários municípios.', 'Stations, air, noise and traffic of one or several municipalities.'],
    places(board),
    [alarms(board)],
    [page(board, ['Página da cidade', 'City page'], '/'), page(board, ['Alarmes', 'Alarms'], '/alarms')],
    { from: 'now-24h', to: 'now' },
  );
}
