using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Notifications;

/// <summary>What people are told about an alarm: what, where, how much against which limit, since when; understood in five seconds. Channels put it into their form. Pure.</summary>
/// <param name="Title">Kind, rule and value.</param>
/// <param name="Sentence">The same as a sentence, with the limit.</param>
/// <param name="Place">Station and municipality; the municipality alone where the rule's name says the station.</param>
/// <param name="Rows">The particulars: label and value.</param>
/// <param name="Note">What to make of it; null when it goes without saying.</param>
internal sealed record AlarmText(string Title, string Sentence, string Place, IReadOnlyList<(string Label, string Value)> Rows, string? Note)
{
    /// <summary>Writes it.</summary>
    /// <param name="message">What to say.</param>
    /// <param name="words">In which language.</param>
    public static AlarmText Of(AlarmMessage message, AlarmWords words)
    {
        var (title, sentence) = Headline(message, words);
        var rule = words.Of(message.RuleNamePt, message.RuleNameEn);
        var place = rule.Contains(message.StationName, StringComparison.OrdinalIgnoreCase) ? message.MunicipalityName : $"{message.StationName}, {message.MunicipalityName}";
        return new AlarmText(message.Overtaken ? words.Of($"Enviado de novo: {title}", $"Sent again: {title}") : title, sentence, place, RowsOf(message, words, AlarmWords.ZoneOf(message)), NoteOf(message, words));
    }

    private static (string Title, string Sentence) Headline(AlarmMessage message, AlarmWords words)
    {
        var rule = words.Of(message.RuleNamePt, message.RuleNameEn);
        var (value, limit, peak) = (words.Number(message.Value, message.Unit), words.Number(message.Limit, message.Unit), words.Number(message.Peak, message.Unit));
        var side = message.Value.CompareTo(message.Limit) switch
        {
            > 0 => words.Of("acima do limite de", "above the limit of"),
            0 => words.Of("no limite de", "at the limit of"),
            _ => words.Of("abaixo do limite de", "below the limit of"),
        };
        var extreme = IsAbove(message) ? words.Of($"máximo de {peak}", $"highest {peak}") : words.Of($"mínimo de {peak}", $"lowest {peak}");
        return message.Kind switch
        {
            NotificationKind.Started when message.UnacknowledgedFor is { } waited => (
                words.Of($"Por reconhecer há {Duration(waited)}: {rule}, {value}", $"Unacknowledged for {Duration(waited)}: {rule}, {value}"),
                words.Of($"Ninguém reconheceu este alarme em {Duration(waited)}. {rule}: {value}, {side} {limit}.", $"Nobody has acknowledged this alarm for {Duration(waited)}. {rule}: {value}, {side} {limit}.")),
            NotificationKind.Started => ($"{SeverityOf(message, words)}: {rule}, {value}", $"{rule}: {value}, {side} {limit}."),
            NotificationKind.Ended => (
                words.Of($"Terminou: {rule}, {value}", $"Ended: {rule}, {value}"),
                words.Of($"O alarme terminou. {rule}: {value}.", $"The alarm has ended. {rule}: {value}.")),
            NotificationKind.Past when message.EndedAt is null => (
                words.Of($"Dados atrasados: {rule}", $"Late data: {rule}"),
                words.Of($"Dados que chegaram com atraso mostram um alarme. {rule}: {extreme}. Não se sabe se continua.", $"Data that arrived late shows an alarm. {rule}: {extreme}. Whether it goes on is not known.")),
            NotificationKind.Past => (
                words.Of($"Já terminado: {rule}", $"Already over: {rule}"),
                words.Of($"Dados que chegaram com atraso mostram um alarme que já terminou. {rule}: {extreme}.", $"Data that arrived late shows an alarm that is already over. {rule}: {extreme}.")),
            NotificationKind.Acknowledged => (
                words.Of($"Reconhecido: {rule}", $"Acknowledged: {rule}"),
                words.Of($"{message.By} reconheceu o alarme e trata dele. {rule}: {value}.", $"{message.By} has acknowledged the alarm and looks after it. {rule}: {value}.")),
            _ when message.Withdrawn => (
                words.Of($"Anulado: {rule}", $"Withdrawn: {rule}"),
                words.Of($"O alarme comunicado antes fica sem efeito: {rule}.", $"The alarm reported before is withdrawn: {rule}.")),
            _ => (
                words.Of($"Correção: {rule}", $"Correction: {rule}"),
                words.Of($"Dados posteriores corrigem o alarme comunicado antes. {rule}: {extreme}.", $"Later data corrects the alarm reported before. {rule}: {extreme}.")),
        };
    }

    /// <summary>The word for how serious it is.</summary>
    public static string SeverityOf(AlarmMessage message, AlarmWords words) => message.Severity switch
    {
        Severity.Information => words.Of("Informação", "Information"),
        Severity.Warning => words.Of("Aviso", "Warning"),
        _ => words.Of("Alerta", "Alert"),
    };

    /// <summary>Whether the rule watches for values above its level: the most extreme value is then at or above it.</summary>
    public static bool IsAbove(AlarmMessage message) => message.Peak >= message.Limit;

    private static List<(string Label, string Value)> RowsOf(AlarmMessage message, AlarmWords words, TimeZoneInfo zone)
    {
        var ended = message.Kind == NotificationKind.Ended;
        var rows = new List<(string, string)>
        {
            (words.Of("Local", "Where"), $"{message.StationName}, {message.MunicipalityName}"),
        };
        if (message.Property.Length > 0)
        {
            rows.Add((words.Of("Grandeza", "Quantity"), QuantityCatalogue.TryGet(message.Property, out var quantity) ? words.Of(quantity.NamePt, quantity.NameEn) : message.Property));
        }

        if (message.Kind == NotificationKind.Acknowledged)
        {
            rows.Add((words.Of("Reconhecido por", "Acknowledged by"), message.By));
        }

        if (ended || message.Kind == NotificationKind.Started)
        {
            rows.Add((words.Of("Valor", "Value"), words.Number(message.Value, message.Unit)));
        }

        rows.Add((ended ? words.Of("Limite para terminar", "Limit to end") : words.Of("Limite", "Limit"), words.Number(message.Limit, message.Unit)));
        if (message.Kind != NotificationKind.Started && !message.Withdrawn)
        {
            rows.Add((IsAbove(message) ? words.Of("Máximo", "Highest") : words.Of("Mínimo", "Lowest"), words.Number(message.Peak, message.Unit)));
        }

        if (message.EndedAt is { } endedAt && !message.Withdrawn)
        {
            var toTheSecond = endedAt - message.ConditionAt < TimeSpan.FromMinutes(5);
            rows.Add((words.Of("Início", "Began"), words.Time(message.ConditionAt, zone, toTheSecond)));
            rows.Add((words.Of("Fim", "Ended"), words.Time(endedAt, zone, toTheSecond)));
            rows.Add((words.Of("Duração", "Duration"), Duration(endedAt - message.ConditionAt)));
        }
        else
        {
            rows.Add((message.Withdrawn ? words.Of("Início comunicado", "Reported start") : words.Of("Desde", "Since"), words.Time(message.ConditionAt, zone)));
        }

        return rows;
    }

    private static string? NoteOf(AlarmMessage message, AlarmWords words) => message switch
    {
        { Kind: NotificationKind.Past, EndedAt: null } => words.Of(
            "Isto não é uma emergência: os dados são antigos e só agora chegaram.", "This is not an emergency: the data is old and has only now arrived."),
        { Kind: NotificationKind.Past } => words.Of(
            "Isto não é uma emergência: é o registo de algo que já passou e que só agora se conhece.", "This is not an emergency: it records something in the past that has only now become known."),
        { Overtaken: true } => words.Of(
            "Esta mensagem não pôde ser entregue na altura. Entretanto já seguiram notícias mais recentes deste alarme: valem essas.",
            "This message could not be delivered at the time. Later news about this alarm has been sent meanwhile: that is what counts."),
        { Kind: NotificationKind.Started, UnacknowledgedFor: not null, CalledAgain: true } => words.Of(
            "Recebe esta mensagem de novo por estar de serviço e ninguém ter reconhecido o alarme. Ao reconhecê-lo, não se chama mais ninguém.",
            "You get this message again because you are on duty and nobody has acknowledged the alarm. Once you acknowledge it, nobody else is called."),
        { Kind: NotificationKind.Started, UnacknowledgedFor: not null } => words.Of(
            "Recebe esta mensagem por estar de serviço a seguir. Ao reconhecer o alarme, não se chama mais ninguém.", "You get this message because you are next on duty. Once you acknowledge the alarm, nobody else is called."),
        { Withdrawn: true } => words.Of(
            "O alarme comunicado antes já não corresponde às observações ou à regra atual.", "The alarm reported before no longer agrees with the observations or with the rule as it is now."),
        { Kind: NotificationKind.Corrected, EndedAt: null } => words.Of("O alarme continua ativo.", "The alarm is still active."),
        _ => null,
    };

    /// <summary>Days, hours and minutes, or seconds: the same in both languages.</summary>
    private static string Duration(TimeSpan duration)
    {
        var (days, hours, minutes) = (duration.Days, duration.Hours, duration.Minutes);
        string[] parts = duration < TimeSpan.FromMinutes(1) ? [$"{duration.Seconds} s"] : [days > 0 ? $"{days} d" : "", hours > 0 ? $"{hours} h" : "", minutes > 0 ? $"{minutes} min" : ""];
        return string.Join(' ', parts.Where(part => part.Length > 0));
    }
}
