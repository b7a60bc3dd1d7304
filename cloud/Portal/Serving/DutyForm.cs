using System.Globalization;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Show;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Somebody on a step as chosen; with nobody chosen the row is none.</summary>
internal sealed class DutyPersonFields
{
    /// <summary>Identifier of a subscriber; empty for nobody.</summary>
    public string? Subscriber { get; set; }

    /// <summary>When, by the municipality's clock; empty for always.</summary>
    public string? Schedule { get; set; }

    public bool IsEmpty => string.IsNullOrEmpty(Subscriber) && string.IsNullOrWhiteSpace(Schedule);
}

/// <summary>A step as it is typed; one without minutes and people is none.</summary>
internal sealed class DutyStepFields
{
    public string? Minutes { get; set; }

    public DutyPersonFields[] People { get; set; } = [];

    public bool IsEmpty => string.IsNullOrWhiteSpace(Minutes) && People.All(static one => one.IsEmpty);
}

/// <summary>The fields of a duty roster as they are typed; what cannot be taken is named by its field, which is the id of its input.</summary>
internal sealed class DutyForm
{
    public const int StepsMax = 10;
    public const int PeopleMax = 50;

    /// <summary>1 to 3.</summary>
    public string? Severity { get; set; }

    public string? Repeat { get; set; }

    public DutyStepFields[] Steps { get; set; } = [];

    /// <summary>Which state of the roster the fields were filled from; empty for none.</summary>
    public string? Version { get; set; }

    /// <summary>Of somebody who is to be added to those that can be chosen: how they are reached.</summary>
    public string? Channel { get; set; }

    public string? Target { get; set; }

    public string? Language { get; set; }

    /// <summary>What is wrong, by field.</summary>
    [BindNever]
    public Dictionary<string, FieldProblem> Problems { get; } = [];

    /// <summary>The fields of a roster; of none, those of a new one, which is gone through once more when nobody answers.</summary>
    public static DutyForm Of(DutyRoster? roster, Speech say) => roster is null
        ? new() { Severity = "3", Repeat = "1", Version = "", Steps = [new() { Minutes = "0" }, new() { Minutes = "10" }] }
        : new()
        {
            Severity = ((int)roster.SeverityMin).ToString(CultureInfo.InvariantCulture),
            Repeat = roster.RepeatCount.ToString(CultureInfo.InvariantCulture),
            Version = DutyRoster.VersionOf(roster),
            Steps =
            [
                .. roster.Steps.Select(step => new DutyStepFields
                {
                    Minutes = RuleWords.Number(say, step.After.TotalMinutes),
                    People = [.. step.Entries.Select(entry => new DutyPersonFields { Subscriber = entry.Subscriber.ToString(CultureInfo.InvariantCulture), Schedule = entry.Schedule })],
                }),
            ],
        };

    /// <summary>At least one row of people in each step and one step; with another where one is asked for.</summary>
    /// <param name="add">Number of a step that needs another row, <c>step</c> for another step; null for none.</param>
    public void Complete(string? add)
    {
        List<DutyStepFields> steps = [.. Steps.Take(StepsMax)];
        if (steps.Count == 0 || (add == "step" && steps.Count < StepsMax))
        {
            steps.Add(new());
        }

        for (var i = 0; i < steps.Count; i++)
        {
            var people = steps[i].People;
            var more = people.Length == 0 || (add == i.ToString(CultureInfo.InvariantCulture) && people.Length < PeopleMax);
            steps[i].People = more ? [.. people, new()] : people;
        }

        Steps = [.. steps];
    }

    /// <summary>Reads the roster as far as the fields can be read, its steps in order of their minutes. Null, with the reasons in <see cref="Problems"/>, when they cannot; whether they fit together is for the hub to say.</summary>
    public DutyRoster? Read(string municipality)
    {
        var severity = Enum.TryParse<Severity>(Severity, out var known) && Enum.IsDefined(known) ? known : Bad("severity", "duty.bad.severity", default(Severity));
        var repeat = string.IsNullOrWhiteSpace(Repeat) ? 0 : int.TryParse(Repeat, NumberStyles.None, CultureInfo.InvariantCulture, out var times) && times <= DutyRoster.RepeatCountMax ? times : Bad("repeat", "duty.bad.repeat", 0);
        List<(int Row, DutyStep Step)> steps = [];
        for (var i = 0; i < Steps.Length; i++)
        {
            var fields = Steps[i];
            if (fields.IsEmpty)
            {
                continue;
            }

            var id = "step-" + i.ToString(CultureInfo.InvariantCulture);
            var minutes = RuleForm.ReadNumber(fields.Minutes) is { } number and >= 0 and <= 1_440 ? number : Bad(id + "-minutes", "duty.bad.minutes", 0d);
            List<DutyEntry> people = [];
            for (var j = 0; j < fields.People.Length; j++)
            {
                var person = fields.People[j];
                if (person.IsEmpty)
                {
                    continue;
                }

                var who = int.TryParse(person.Subscriber, NumberStyles.None, CultureInfo.InvariantCulture, out var subscriber) ? subscriber : Bad(IdOf(i, j, "person"), "duty.bad.person", 0);
                people.Add(new(who, (person.Schedule ?? "").Trim()));
            }

            if (people.Count == 0)
            {
                Problems[IdOf(i, 0, "person")] = new("duty.bad.nobody");
            }

            steps.Add((i, new(TimeSpan.FromSeconds(Math.Round(minutes * 60)), people)));
        }

        if (steps.Count == 0)
        {
            Problems["step-0-minutes"] = new("duty.bad.steps");
        }

        rows = [.. steps.OrderBy(static one => one.Step.After).Select(static one => one.Row)];
        return Problems.Count > 0 ? null : new(municipality, severity, [.. steps.OrderBy(static one => one.Step.After).Select(static one => one.Step)]) { RepeatCount = repeat };

        T Bad<T>(string field, string key, T instead)
        {
            Problems[field] = new(key);
            return instead;
        }
    }

    /// <summary>Id of a field of somebody on a step.</summary>
    public static string IdOf(int step, int person, string what) => string.Create(CultureInfo.InvariantCulture, $"step-{step}-{what}-{person}");

    /// <summary>Takes down what the hub refuses, at the field that it names.</summary>
    public void Refuse(ArgumentException refusal)
    {
        var detail = refusal.Message.Split(" (Parameter ")[0];
        var path = (refusal.ParamName ?? "").Split('.');
        if (Index(path[0], nameof(DutyRoster.Steps)) is not { } at || at >= rows.Count || path.Length < 2)
        {
            Problems[path[0] switch { nameof(DutyRoster.SeverityMin) => "severity", nameof(DutyRoster.RepeatCount) => "repeat", _ => "step-0-minutes" }] =
                new(path[0] switch { nameof(DutyRoster.SeverityMin) => "duty.bad.severity", nameof(DutyRoster.RepeatCount) => "duty.bad.repeat", _ => "duty.bad.steps" }, detail);
            return;
        }

        var row = rows[at];
        if (Index(path[1], nameof(DutyStep.Entries)) is { } entry && path.Length == 3)
        {
            // Rows without anybody were left out.
            var filled = Enumerable.Range(0, Steps[row].People.Length).Where(i => !Steps[row].People[i].IsEmpty).ToArray();
            var person = entry < filled.Length ? filled[entry] : 0;
            Problems[IdOf(row, person, path[2] == nameof(DutyEntry.Schedule) ? "schedule" : "person")] = new(path[2] == nameof(DutyEntry.Schedule) ? "duty.bad.schedule" : "duty.bad.person", detail);
        }
        else
        {
            var isAfter = path[1] == nameof(DutyStep.After);
            Problems[isAfter ? string.Create(CultureInfo.InvariantCulture, $"step-{row}-minutes") : IdOf(row, 0, "person")] = new(isAfter ? at == 0 ? "duty.bad.first" : "duty.bad.later" : "duty.bad.nobody", detail);
        }
    }

    /// <summary>For each step of the roster as it was read, the row it stands in.</summary>
    private IReadOnlyList<int> rows = [];

    private static int? Index(string part, string name) =>
        part.StartsWith(name + "[", StringComparison.Ordinal) && int.TryParse(part[(name.Length + 1)..].TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? at : null;
}
