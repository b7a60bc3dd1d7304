using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Agent;

/// <summary>A station profile: its name and the kinds of its sensors, one for each sensor.</summary>
internal sealed record StationProfile(string Name, IReadOnlyList<string> Kinds)
{
    /// <summary>The profiles of a folder, by name; those that cannot be read are left out, and a folder that is not there has none.</summary>
    public static IReadOnlyList<StationProfile> Of(string folder)
    {
        var profiles = new List<StationProfile>();
        string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.yaml") : [];
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            try
            {
                profiles.Add(new StationProfile(
                    Path.GetFileNameWithoutExtension(file),
                    [.. StationFile.Read(file).Values.Where(value => value.Key.StartsWith("sensors:", StringComparison.Ordinal) && value.Key.EndsWith(":kind", StringComparison.Ordinal)).Select(value => value.Value!)]));
            }
            catch (ConfigurationException)
            {
                // A file somebody is writing; hub-agent check says what is wrong with it.
            }
        }

        return profiles;
    }
}

/// <summary>Which profiles fit what was found on the buses. Pure.</summary>
internal static class ProfileFit
{
    // Need nothing that could be found.
    private static readonly string[] Everywhere = ["board", "replay", "simulated"];

    /// <summary>The profiles, those that lack least first and among them those that use most; with the kinds that were not found.</summary>
    /// <param name="profiles">The profiles there are.</param>
    /// <param name="found">What was found. A serial port carries one instrument; on other buses several sensors may share what was found.</param>
    public static IReadOnlyList<(string Profile, IReadOnlyList<string> Lacks)> Rank(IEnumerable<StationProfile> profiles, IReadOnlyList<FoundInstrument> found) =>
    [
        .. profiles
            .Select(profile => (profile.Name, Uses: profile.Kinds.Count(kind => !Everywhere.Contains(kind)), Lacks: Lacking(profile, found)))
            .Where(profile => profile.Uses > profile.Lacks.Count)
            .OrderBy(profile => profile.Lacks.Count).ThenByDescending(profile => profile.Uses).ThenBy(profile => profile.Name, StringComparer.Ordinal)
            .Select(profile => (profile.Name, (IReadOnlyList<string>)profile.Lacks)),
    ];

    private static List<string> Lacking(StationProfile profile, IReadOnlyList<FoundInstrument> found)
    {
        var ports = found.Where(one => one.Bus == BusInventory.SerialPort && one.Kinds.Count > 0).ToList();
        var lacks = new List<string>();
        foreach (var kind in profile.Kinds.Except(Everywhere))
        {
            // Kinds by how often the profile has them: Except has left one of each.
            var wanted = profile.Kinds.Count(other => other == kind);
            if (found.Any(one => one.Bus != BusInventory.SerialPort && one.Kinds.Contains(kind)))
            {
                continue;
            }

            var free = ports.Where(port => port.Kinds.Contains(kind)).Take(wanted).ToList();
            ports = [.. ports.Except(free)];
            lacks.AddRange(Enumerable.Repeat(kind, wanted - free.Count));
        }

        return lacks;
    }
}
