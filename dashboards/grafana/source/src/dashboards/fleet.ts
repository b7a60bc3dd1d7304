import { alarms, Board, dashboard, page, places, rowLinks, stationLinks } from '../panels.js';
import { figure, hub, influx, influxTable, series } from '../queries.js';
import { atLeast, classColours, steps } from '../limits.js';
import type { Dashboard } from '../schema.js';

const place = ['municipality', 'station'] as const;

/** How the stations fare, by what they say of themselves. */
export function fleet(board: Board): Dashboard {
  board.table({
    title: ['Estações', 'Stations'],
    description: ['Quando o hub ouviu cada estação pela última vez, em qualquer grandeza.', 'When the hub last heard each station, of whatever property.'],
    source: hub,
    targets: [influxTable('A', hub, 'SELECT last("name") AS "name", last("last_seen") AS "last_seen" FROM "station" WHERE "municipality" =~ /^$municipality$/ AND "station" =~ /^$station$/ GROUP BY "municipality", "station"')],
    unit: 'none',
    links: rowLinks(board),
    columns: { Time: { name: ['Tempo', 'Time'], hide: true }, municipality: { name: ['Município', 'Municipality'] }, station: { name: ['Estação', 'Station'] }, name: { name: ['Nome', 'Name'] }, last_seen: { name: ['Ouvida', 'Last heard'], unit: 'dateTimeFromNow' } },
    height: 10,
  });
  board.timeseries({
    title: ['Observações por hora', 'Observations an hour'],
    description: ['Uma estação que deixa de enviar desaparece do gráfico.', 'A station that stops sending goes from the chart.'],
    targets: [influx('A', series, figure('count("result") AS "observations"', '/.*/', { every: '1h', by: place }), '$tag_station')],
    unit: 'short',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    height: 10,
  });
  board.row(['Envio e relógio', 'Sending and clock']);
  board.timeseries({
    title: ['Leituras por enviar', 'Readings waiting to be sent'],
    description: ['O que a estação tem e o hub ainda não confirmou. Muito depois de uma falha da rede é atraso; a crescer é uma avaria.', 'What the station has and the hub has not acknowledged. Much after an outage is a backlog; growing it is a fault.'],
    targets: [influx('A', series, figure('max("result") AS "outbox_depth"', 'outbox_depth', { by: place }), '$tag_station')],
    unit: 'short',
    decimals: 0,
    min: 0,
    thresholds: steps([1_000, '#f09a3e'], [100_000, '#c8452f']),
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeline({
    title: ['O que acerta o relógio', 'What holds the clock'],
    targets: [influx('A', series, figure('min("result") AS "clock_state"', 'clock_state', { by: place }), '$tag_station')],
    unit: 'none',
    mappings: [
      {
        type: 'value',
        options: {
          '0': { text: board.say(['nada ainda', 'nothing yet']), color: classColours[4], index: 0 },
          '1': { text: board.say(['resposta do hub', 'answer of the hub']), color: classColours[2], index: 1 },
          '2': { text: board.say(['relógio da máquina', "machine's clock"]), color: classColours[1], index: 2 },
          '3': { text: 'NTP', color: classColours[0], index: 3 },
        },
      },
    ],
    thresholds: atLeast(1, 2),
    links: stationLinks(board),
    interval: '1m',
  });
  board.row(['Equipamento', 'Equipment']);
  board.timeseries({
    title: ['Sinal da ligação', 'Link signal'],
    description: ['O nível mais fraco de cada intervalo do gráfico.', "The weakest level of each of the chart's intervals."],
    targets: [influx('A', series, figure('min("result") AS "link_quality"', 'link_quality', { by: place }), '$tag_station')],
    unit: 'dBm',
    decimals: 0,
    thresholds: atLeast(-105, -95),
    lines: true,
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeseries({
    title: ['Temperatura do processador', 'CPU temperature'],
    targets: [influx('A', series, figure('max("result") AS "cpu_temperature"', 'cpu_temperature', { by: place }), '$tag_station')],
    unit: 'celsius',
    decimals: 0,
    thresholds: steps([70, '#f09a3e'], [80, '#c8452f']),
    lines: true,
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeseries({
    title: ['Bateria ou alimentação', 'Battery or supply'],
    targets: [influx('A', series, figure('min("result") AS "battery"', 'battery', { by: place }), '$tag_station')],
    unit: 'volt',
    decimals: 2,
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeseries({
    title: ['Disco livre', 'Free disk'],
    targets: [influx('A', series, figure('min("result") AS "disk_free"', 'disk_free', { by: place }), '$tag_station')],
    unit: 'percent',
    decimals: 0,
    min: 0,
    max: 100,
    thresholds: atLeast(5, 15),
    lines: true,
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeseries({
    title: ['Subtensão e travagem', 'Undervoltage and throttling'],
    description: ['Parte do tempo com alimentação baixa, ou com o processador travado.', 'Share of the time with a low supply, or with the processor slowed down.'],
    targets: [
      influx('A', series, figure('max("result") AS "undervoltage"', 'undervoltage', { by: place }), '$tag_station'),
      influx('B', series, figure('max("result") AS "throttled"', 'throttled', { by: place }), '$tag_station'),
    ],
    unit: 'percent',
    decimals: 0,
    min: 0,
    max: 100,
    links: stationLinks(board),
    interval: '1m',
  });
  board.timeseries({
    title: ['Tempo em funcionamento', 'Uptime'],
    description: ['Cada queda a zero é um arranque do agente.', 'Each fall to zero is a start of the agent.'],
    targets: [influx('A', series, figure('max("result") AS "uptime"', 'uptime', { by: place }), '$tag_station')],
    unit: 's',
    decimals: 0,
    min: 0,
    links: stationLinks(board),
    interval: '1m',
  });
  return dashboard(
    board,
    'fleet',
    ['Saúde da frota', 'Fleet health'],
    ['Como estão as estações, pelo que elas próprias dizem.', 'How the stations fare, by what they say of themselves.'],
    places(board),
    [alarms(board)],
    [page(board, ['Frota', 'Fleet'], '/fleet'), page(board, ['Alarmes', 'Alarms'], '/alarms')],
    { from: 'now-24h', to: 'now' },
  );
}
