using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Hub.Edge.Update;

/// <summary>
/// <c>trial</c> and <c>rolled-back</c>: lines of <c>name=value</c> between a first and a last line that a torn file does not have. The launcher, a shell script, reads and rewrites it; what it
/// does not know it keeps. The file appears before the switch and goes with the confirmation, so that its presence is the trial.
/// </summary>
/// <param name="From">Slot that ran before, <c>a</c> or <c>b</c>.</param>
/// <param name="To">The other slot, which is on trial.</param>
/// <param name="Version">Version on trial.</param>
/// <param name="Sha256">SHA-256 of its bundle.</param>
/// <param name="Seconds">Trial time, whole seconds.</param>
/// <param name="Boot">Start of the machine that <paramref name="Until"/> counts from.</param>
/// <param name="Until">Deadline, whole seconds since that start. The launcher sets both anew after a reboot.</param>
/// <param name="Starts">How often the launcher has started it.</param>
/// <param name="Alive">Sensors that gave values before the switch, at most <see cref="AliveMax"/>.</param>
/// <param name="Reason">Why it is to be taken back, one line; null while it is on trial.</param>
internal sealed record TrialFile(string From, string To, string Version, string Sha256, long Seconds, string Boot, long Until, int Starts, IReadOnlyList<string> Alive, string? Reason = null)
{
    public const int AliveMax = 64;
    public const int BytesMax = 16 * 1024;
    private const int ReasonCharactersMax = 500;
    private const string First = "hub-agent trial 1";
    private const string Last = "end";

    public byte[] ToUtf8()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{First}\nfrom={From}\nto={To}\nversion={Version}\nsha256={Sha256}\nseconds={Seconds}\nboot={Boot}\nuntil={Until}\nstarts={Starts}\n");
        text.Append(CultureInfo.InvariantCulture, $"alive={string.Join(' ', Alive.Take(AliveMax))}\n");
        if (Reason is { } reason)
        {
            var line = string.Concat(reason.Take(ReasonCharactersMax).Select(c => char.IsControl(c) ? ' ' : c));
            text.Append(CultureInfo.InvariantCulture, $"reason={line}\n");
        }

        return Encoding.UTF8.GetBytes(text.Append(Last).Append('\n').ToString());
    }

    /// <summary>Reads one; a file that is torn, or was never one, is told apart.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out TrialFile? trial)
    {
        trial = null;
        if (utf8.Length > BytesMax)
        {
            return false;
        }

        var lines = Encoding.UTF8.GetString(utf8).Split('\n');
        if (lines.Length < 3 || lines[0] != First || lines[^2] != Last || lines[^1].Length > 0)
        {
            return false;
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines[1..^2])
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || !values.TryAdd(line[..equals], line[(equals + 1)..]))
            {
                return false;
            }
        }

        if (values.GetValueOrDefault("from") is not ("a" or "b") || values.GetValueOrDefault("to") is not ("a" or "b") || values["from"] == values["to"]
            || !TryNumber("seconds", out var seconds) || !TryNumber("until", out var until) || !TryNumber("starts", out var starts) || starts > 1_000_000
            || values.GetValueOrDefault("boot") is not { Length: > 0 and <= 64 } boot
            || !Contract.Bundles.AgentVersion.TryParse(values.GetValueOrDefault("version"), out var version) || values.GetValueOrDefault("sha256") is not { } sha256)
        {
            return false;
        }

        trial = new TrialFile(
            values["from"], values["to"], version.ToString(), sha256, seconds, boot, until, (int)starts,
            values.GetValueOrDefault("alive", "").Split(' ', StringSplitOptions.RemoveEmptyEntries), values.GetValueOrDefault("reason"));
        return true;

        bool TryNumber(string name, out long number) => long.TryParse(values.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
