import { alarms, Board, dashboard, instance, page } from '../panels.js';
import { gauge, metrics, prometheus, quantile, rate } from '../queries.js';
import { atLeast, steps } from '../limits.js';
import type { Dashboard } from '../schema.js';

const labelled = 'job="hub", instance=~"$instance"';

/** The hub itself, by its own metrics. */
export function operations(board: Board): Dashboard {
  const source = metrics;
  board.stat({ title: ['Hub', 'Hub'], source, targets: [prometheus('A', `min(up{${labelled}})`, 'up')], unit: 'none', mappings: [{ type: 'value', options: { '0': { text: board.say(['em baixo', 'down']), color: '#c8452f', index: 0 }, '1': { text: board.say(['a funcionar', 'up']), color: '#3b8bc4', index: 1 } } }] });
  board.stat({
    title: ['Armazém', 'Store'],
    description: ['O armazém embebido aceita dados, ou nada espera pelo InfluxDB.', 'The embedded store takes data, or nothing waits for the InfluxDB.'],
    source,
    targets: [prometheus('A', `min(hub_series_available{${labelled}} or (hub_series_influx_spill_observations{${labelled}} == bool 0))`, 'store')],
    unit: 'none',
    mappings: [{ type: 'value', options: { '0': { text: board.say(['não confirma', 'not acknowledging']), color: '#c8452f', index: 0 }, '1': { text: board.say(['confirma', 'acknowledging']), color: '#3b8bc4', index: 1 } } }],
  });
  board.stat({ title: ['Estações ligadas', 'Stations online'], source, targets: [prometheus('A', gauge('hub_fleet_online'), 'online')], unit: 'none', decimals: 0 });
  board.stat({ title: ['Estações registadas', 'Registered stations'], source, targets: [prometheus('A', gauge('hub_stations_count'), 'stations')], unit: 'none', decimals: 0 });
  board.stat({ title: ['Séries', 'Datastreams'], source, targets: [prometheus('A', gauge('hub_stations_datastreams_count'), 'datastreams')], unit: 'short', decimals: 0 });
  board.stat({ title: ['Alarmes ativos', 'Active alarms'], source, targets: [prometheus('A', `${gauge('hub_alerts_active')} or vector(0)`, 'alarms')], unit: 'none', decimals: 0, thresholds: steps([1, '#f09a3e']) });

  board.row(['Receção', 'Ingest']);
  board.timeseries({
    title: ['Leituras por segundo, por destino', 'Readings a second, by outcome'],
    description: ['recebidas = guardadas + corrigidas + repetidas + em quarentena', 'received = stored + corrected + duplicate + quarantined'],
    source,
    targets: [prometheus('A', rate('hub_ingest_records_total', 'outcome'), '{{outcome}}')],
    unit: 'ops',
    min: 0,
  });
  board.timeseries({ title: ['Mensagens por segundo, por transporte', 'Packs a second, by transport'], source, targets: [prometheus('A', rate('hub_ingest_packs_total', 'transport'), '{{transport}}')], unit: 'ops', min: 0 });
  board.timeseries({
    title: ['Da chegada ao disco', 'From arrival to disk'],
    description: ['Quanto tempo leva uma mensagem até estar guardada: mediana e percentil 99.', 'How long a pack takes until it is on disk: median and 99th percentile.'],
    source,
    targets: [prometheus('A', quantile(0.5, 'hub_ingest_pack_duration_seconds'), 'p50'), prometheus('B', quantile(0.99, 'hub_ingest_pack_duration_seconds'), 'p99')],
    unit: 's',
    min: 0,
  });
  board.timeseries({
    title: ['Recusas por segundo', 'Refusals a second'],
    source,
    targets: [
      prometheus('A', rate('hub_ingest_unavailable_total', 'transport'), board.say(['{{transport}} não confirmadas', '{{transport}} not acknowledged'])),
      prometheus('B', rate('hub_ingest_refused_logins_total', 'reason'), 'login {{reason}}'),
      prometheus('C', rate('hub_ingest_refused_topics_total', 'transport'), '{{transport}} topic'),
      prometheus('D', rate('hub_ingest_refused_connections_total', 'reason'), board.say(['ligação {{reason}}', 'connection {{reason}}'])),
    ],
    unit: 'ops',
    min: 0,
  });
  board.timeseries({ title: ['Ligações MQTT', 'MQTT connections'], source, targets: [prometheus('A', `sum by (transport) (hub_ingest_connections{${labelled}}) or on() vector(0)`, '{{transport}}')], unit: 'short', decimals: 0, min: 0 });
  board.timeseries({ title: ['Recebido e por guardar', 'Received and not yet stored'], source, targets: [prometheus('A', gauge('hub_ingest_uncommitted_bytes'), 'bytes')], unit: 'bytes', min: 0 });

  board.row(['Séries temporais', 'Time series']);
  board.timeseries({
    title: ['Duração da escrita', 'Duration of a commit'],
    source,
    targets: [prometheus('A', quantile(0.5, 'hub_series_commit_duration_seconds'), 'p50'), prometheus('B', quantile(0.99, 'hub_series_commit_duration_seconds'), 'p99')],
    unit: 's',
    min: 0,
  });
  board.timeseries({
    title: ['Filas', 'Queues'],
    description: ['Observações na fila do armazém e à espera do InfluxDB, chamadas à espera de lugar, escritas por avaliar.', 'Observations in the queue of the store and waiting for the InfluxDB, calls waiting for room, commits not yet evaluated.'],
    source,
    targets: [
      prometheus('A', gauge('hub_series_queue_observations'), board.say(['fila', 'queue'])),
      prometheus('B', gauge('hub_series_queue_waiting'), board.say(['chamadas', 'calls'])),
      prometheus('C', `${gauge('hub_series_influx_spill_observations')} or vector(0)`, 'InfluxDB'),
      prometheus('D', `${gauge('hub_alerts_lag')} or vector(0)`, board.say(['alarmes', 'alerts'])),
      prometheus('E', `${gauge('hub_quality_lag')} or vector(0)`, board.say(['qualidade', 'quality'])),
    ],
    unit: 'short',
    min: 0,
  });
  board.timeseries({
    title: ['Falhas por segundo', 'Failures a second'],
    source,
    targets: [
      prometheus('A', rate('hub_series_commit_failures_total', 'instance'), board.say(['escritas', 'commits'])),
      prometheus('B', rate('hub_series_influx_away_total', 'instance'), 'InfluxDB'),
      prometheus('C', rate('hub_alerts_failures_total', 'instance'), board.say(['alarmes', 'alerts'])),
      prometheus('D', rate('hub_notifications_failures_total', 'channel'), board.say(['notificações {{channel}}', 'notifications {{channel}}'])),
      prometheus('E', rate('hub_portal_failures_total', 'instance'), board.say(['páginas', 'pages'])),
    ],
    unit: 'ops',
    min: 0,
  });
  board.timeseries({ title: ['Linhas para o InfluxDB por segundo', 'Lines to InfluxDB a second'], source, targets: [prometheus('A', rate('hub_series_influx_lines_total', 'verdict'), '{{verdict}}')], unit: 'ops', min: 0 });

  board.row(['Avisos', 'Notifications']);
  board.timeseries({ title: ['Mudanças de alarmes por segundo', 'Changes of alarms a second'], source, targets: [prometheus('A', rate('hub_alerts_transitions_total', 'kind'), '{{kind}}')], unit: 'ops', min: 0 });
  board.timeseries({ title: ['Entregas por segundo, por estado', 'Deliveries a second, by state'], source, targets: [prometheus('A', rate('hub_notifications_finished_total', 'channel, state'), '{{channel}} {{state}}')], unit: 'ops', min: 0 });

  board.row(['Páginas e API', 'Pages and API']);
  board.timeseries({ title: ['Pedidos por segundo, por resposta', 'Requests a second, by answer'], source, targets: [prometheus('A', rate('http_server_request_duration_seconds_count', 'http_response_status_code'), '{{http_response_status_code}}')], unit: 'reqps', min: 0 });
  board.timeseries({ title: ['Tempo de resposta', 'Time to answer'], source, targets: [prometheus('A', quantile(0.5, 'http_server_request_duration_seconds'), 'p50'), prometheus('B', quantile(0.99, 'http_server_request_duration_seconds'), 'p99')], unit: 's', min: 0 });

  board.row(['Máquina', 'Machine']);
  board.timeseries({ title: ['Memória', 'Memory'], source, targets: [prometheus('A', gauge('dotnet_process_memory_working_set_bytes'), board.say(['processo', 'process'])), prometheus('B', gauge('dotnet_gc_last_collection_memory_committed_size_bytes'), 'GC')], unit: 'bytes', min: 0 });
  board.timeseries({ title: ['Processador', 'Processor'], description: ['Parte de todos os processadores da máquina.', "Share of all of the machine's processors."], source, targets: [prometheus('A', `sum by (cpu_mode) (rate(dotnet_process_cpu_time_seconds_total{${labelled}}[$__rate_interval])) / on() group_left() ${gauge('dotnet_process_cpu_count')}`, '{{cpu_mode}}')], unit: 'percentunit', min: 0, max: 1 });
  board.timeseries({
    title: ['Disco livre da máquina', "The machine's free disk"],
    description: ['Do exportador da máquina (node-exporter). Com o disco cheio o hub deixa de confirmar e as estações guardam.', "From the machine's exporter (node-exporter). With a full disk the hub stops acknowledging, and stations keep."],
    source,
    targets: [prometheus('A', 'min by (mountpoint) (node_filesystem_avail_bytes{job="machine", fstype!~"tmpfs|overlay|squashfs"} / node_filesystem_size_bytes{job="machine", fstype!~"tmpfs|overlay|squashfs"})', '{{mountpoint}}')],
    unit: 'percentunit',
    min: 0,
    max: 1,
    thresholds: atLeast(0.05, 0.15),
    lines: true,
  });
  board.timeseries({ title: ['Pausas do GC', 'GC pauses'], source, targets: [prometheus('A', `sum(rate(dotnet_gc_pause_time_seconds_total{${labelled}}[$__rate_interval]))`, 'GC')], unit: 'percentunit', min: 0 });
  return dashboard(
    board,
    'operations',
    ['Operação do hub', 'Hub operations'],
    ['O próprio hub, pelas suas métricas.', 'The hub itself, by its own metrics.'],
    instance(board),
    [alarms(board, true)],
    [page(board, ['Frota', 'Fleet'], '/fleet'), page(board, ['Entregas', 'Deliveries'], '/deliveries')],
    { from: 'now-6h', to: 'now' },
    '30s',
  );
}
