using System.Globalization;
using Hub.Edge.Files;
using Hub.Edge.Sensors;

namespace Hub.Edge.Calibrations;

/// <summary>A file of the journal that cannot be used.</summary>
/// <param name="File">Its name.</param>
/// <param name="Problem">What is wrong, English, one line.</param>
public sealed record DamagedCalibration(string File, string Problem);

/// <summary>What stands in the journal.</summary>
/// <param name="Records">All good records, by sensor, quantity and version.</param>
/// <param name="Damaged">Files that cannot be used.</param>
/// <param name="VersionsUsed">Largest version of each sensor and quantity that ever was, damaged files included: never to be used again.</param>
public sealed record CalibrationEntries(
    IReadOnlyList<CalibrationRecord> Records, IReadOnlyList<DamagedCalibration> Damaged, IReadOnlyDictionary<(string Sensor, string Quantity), int> VersionsUsed)
{
    /// <summary>An empty journal.</summary>
    public static CalibrationEntries None { get; } = new([], [], new Dictionary<(string, string), int>());

    /// <summary>Records of one sensor and quantity, oldest first.</summary>
    public IReadOnlyList<CalibrationRecord> Of(string sensor, string quantity) => [.. Records.Where(record => record.Sensor == sensor && record.Quantity == quantity)];

    /// <summary>What is in force for one quantity of one sensor: the newest record that fits it, else what the station file says, else none.</summary>
    /// <param name="sensor">The sensor in the station file.</param>
    /// <param name="quantity">Quantity; <c>laeq</c> for all sound levels.</param>
    public CalibrationTerms InForce(SensorOptions sensor, string quantity)
    {
        ArgumentNullException.ThrowIfNull(sensor);
        if (CalibrationHistory.InForce(Of(sensor.Name, quantity)) is { } record && CalibrationBook.Misfit(record, sensor) is null)
        {
            return record.After;
        }

        return sensor.Calibrations.FirstOrDefault(calibration => calibration.Quantity == quantity) is { } given
            ? new CalibrationTerms(given.Version, given.Gain, given.Offset, given.Date?.UtcDateTime)
            : CalibrationTerms.None;
    }

    /// <summary>The version that the next act gets.</summary>
    /// <param name="sensor">Name of the sensor.</param>
    /// <param name="quantity">Quantity.</param>
    /// <param name="inForce">Version in force, of the station file too.</param>
    public int VersionNext(string sensor, string quantity, int inForce) => Math.Max(VersionsUsed.GetValueOrDefault((sensor, quantity)), inForce) + 1;
}

/// <summary>
/// The folder of calibrations, <c>{data}/calibrations</c>: one file for each act, <c>{sensor}.{quantity}.{version}.calibration</c>, written once and never changed or deleted. A power cut while writing
/// leaves no file; a damaged file hurts only itself. Any process may read; one at a time writes, and two that do not know of each other cannot take the same version.
/// </summary>
/// <param name="folder">The folder; need not exist.</param>
public sealed class CalibrationJournal(string folder)
{
    /// <summary>Most files read: one a week for 64 sensors and more years than a station has.</summary>
    public const int FilesMax = 50_000;

    private const string Extension = ".calibration";

    /// <summary>The folder.</summary>
    public string Folder => folder;

    /// <summary>Another one whenever a record was added; null while there is no folder.</summary>
    internal (DateTime ChangedAt, int Files)? Mark => Directory.Exists(folder) ? (Directory.GetLastWriteTimeUtc(folder), Directory.EnumerateFiles(folder, "*" + Extension).Count()) : null;

    /// <summary>Reads everything.</summary>
    /// <exception cref="IOException">The folder cannot be read, or has more than <see cref="FilesMax"/> files.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public CalibrationEntries Read()
    {
        if (!Directory.Exists(folder))
        {
            return CalibrationEntries.None;
        }

        string[] files = Directory.GetFiles(folder, "*" + Extension);
        if (files.Length > FilesMax)
        {
            throw new IOException($"{folder} has {files.Length} calibrations, more than {FilesMax}.");
        }

        List<CalibrationRecord> records = [];
        List<DamagedCalibration> damaged = [];
        Dictionary<(string, string), int> versions = [];
        foreach (string path in files)
        {
            string name = Path.GetFileName(path);
            if (!TryParse(name, out string sensor, out string quantity, out int version))
            {
                damaged.Add(new DamagedCalibration(name, "Its name is not sensor.quantity.version.calibration."));
                continue;
            }

            versions[(sensor, quantity)] = Math.Max(versions.GetValueOrDefault((sensor, quantity)), version);
            if (!SealedFile.TryRead(path, out byte[]? text, out string? problem) || !CalibrationRecord.TryRead(text, out CalibrationRecord? record, out problem))
            {
                damaged.Add(new DamagedCalibration(name, problem));
            }
            else if (record.Sensor != sensor || record.Quantity != quantity || record.Version != version)
            {
                damaged.Add(new DamagedCalibration(name, "It is the record of another sensor, quantity or version."));
            }
            else
            {
                records.Add(record);
            }
        }

        return new CalibrationEntries(
            [.. records.OrderBy(record => record.Sensor, StringComparer.Ordinal).ThenBy(record => record.Quantity, StringComparer.Ordinal).ThenBy(record => record.Version)], damaged, versions);
    }

    /// <summary>Adds a record; when it returns, the record survives a power cut.</summary>
    /// <exception cref="IOException">The disk refused, or the version was taken meanwhile: nothing was recorded.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public void Append(CalibrationRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        SealedFile.CreateFolder(folder);
        SealedFile.Write(Path.Combine(folder, Name(record.Sensor, record.Quantity, record.Version)), record.ToUtf8(), overwrite: false);
    }

    private static string Name(string sensor, string quantity, int version) => string.Create(CultureInfo.InvariantCulture, $"{sensor}.{quantity}.{version:D4}{Extension}");

    private static bool TryParse(string name, out string sensor, out string quantity, out int version)
    {
        string[] parts = name[..^Extension.Length].Split('.');
        (sensor, quantity, version) = ("", "", 0);
        if (parts.Length != 3 || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out version) || version < 1)
        {
            return false;
        }

        (sensor, quantity) = (parts[0], parts[1]);
        return true;
    }
}
