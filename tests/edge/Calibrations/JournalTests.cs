using CsCheck;
using Hub.Edge.Sensors;
using Hub.Tests.Kit;

namespace Hub.Edge.Calibrations.Tests;

public sealed class JournalTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly CalibrationJournal journal;

    public JournalTests() => journal = new CalibrationJournal(folder.File("calibrations"));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_was_recorded_is_read_again()
    {
        Assert.Empty(journal.Read().Records);
        Assert.Null(journal.Mark);
        CalibrationRecord[] records = [Sample.Record(1, 1.1, -3), Sample.Record(2, 1.2), Sample.Record(10, 1.3), Sample.Acoustic(1, 0.7)];
        foreach (CalibrationRecord record in records.Reverse())
        {
            var before = journal.Mark;
            journal.Append(record);
            Assert.NotEqual(before, journal.Mark);
        }

        CalibrationEntries entries = journal.Read();
        Assert.Empty(entries.Damaged);
        Assert.Equal(records.Select(record => Convert.ToHexString(record.ToUtf8())), entries.Records.Select(record => Convert.ToHexString(record.ToUtf8())));
        Assert.Equal([1, 2, 10], entries.Of("gas", "no2").Select(record => record.Version));
        Assert.Equal(11, entries.VersionNext("gas", "no2", 3));
        Assert.Equal(21, entries.VersionNext("gas", "no2", 20));
        Assert.Equal(1, entries.VersionNext("other", "no2", 0));
    }

    [Fact]
    public void A_file_is_words_that_people_can_read()
    {
        journal.Append(Sample.Record(7, 1.25));
        string text = File.ReadAllText(Path.Combine(journal.Folder, "gas.no2.0007.calibration"));
        Assert.Contains("\"act\": \"two-point\"", text, StringComparison.Ordinal);
        Assert.Contains("\"reference\": \"cylinder 4711\"", text, StringComparison.Ordinal);
        Assert.Contains("\"gain\": 1.25", text, StringComparison.Ordinal);
        Assert.Contains("\nsha256 ", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_is_taken_once()
    {
        journal.Append(Sample.Record(1, 1.1));
        Assert.Throws<IOException>(() => journal.Append(Sample.Record(1, 1.2)));
        Assert.Equal(1.1, Assert.Single(journal.Read().Records).After.Gain);
    }

    /// <summary>A file cut or changed anywhere is no other calibration: it is named, the one before is in force, and its version is not used again.</summary>
    [Fact]
    public void Damage_anywhere_hurts_only_its_file()
    {
        journal.Append(Sample.Record(1, 1.1));
        journal.Append(Sample.Record(2, 1.2, before: new CalibrationTerms(1, 1.1, 0, null)));
        string path = Path.Combine(journal.Folder, "gas.no2.0002.calibration");
        byte[] whole = File.ReadAllBytes(path);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[0, 8]).Sample(
            (place, bit) =>
            {
                byte[] hurt = bit == 8 ? whole[..place] : [.. whole];
                if (bit < 8)
                {
                    hurt[place] ^= (byte)(1 << bit);
                }

                File.WriteAllBytes(path, hurt);
                CalibrationEntries entries = journal.Read();
                Assert.Equal("gas.no2.0002.calibration", Assert.Single(entries.Damaged).File);
                Assert.Equal(1.1, Assert.Single(entries.Records).After.Gain);
                Assert.Equal(3, entries.VersionNext("gas", "no2", 1));
            },
            iter: 400,
            threads: 1);
    }

    [Fact]
    public void What_a_power_cut_left_and_what_others_put_there_is_no_calibration()
    {
        journal.Append(Sample.Record(1, 1.1));
        File.WriteAllText(Path.Combine(journal.Folder, "gas.no2.0002.calibration.new"), "{ \"sensor\"");
        File.Copy(Path.Combine(journal.Folder, "gas.no2.0001.calibration"), Path.Combine(journal.Folder, "gas.co.0001.calibration"));
        File.WriteAllText(Path.Combine(journal.Folder, "notes.calibration"), "by hand");
        CalibrationEntries entries = journal.Read();
        Assert.Single(entries.Records);
        Assert.Equal(["gas.co.0001.calibration", "notes.calibration"], entries.Damaged.Select(damaged => damaged.File).Order());
        journal.Append(Sample.Record(2, 1.2));
        Assert.Equal(2, journal.Read().Records.Count);
    }

    [Fact]
    public void In_force_is_the_newest_record_that_fits_else_the_station_file()
    {
        var sensor = new SensorOptions { Name = "gas", Kind = "alphasenseb4", Calibrations = { new CalibrationOptions { Quantity = "no2", Gain = 2, Offset = 1, Version = 5 } } };
        Assert.Equal(new CalibrationTerms(5, 2, 1, null), journal.Read().InForce(sensor, "no2"));
        Assert.Equal(CalibrationTerms.None, journal.Read().InForce(sensor, "co"));
        journal.Append(Sample.Record(6, 1.1));
        Assert.Equal(1.1, journal.Read().InForce(sensor, "no2").Gain);
        sensor.Kind = "simulated";
        Assert.Equal(2, journal.Read().InForce(sensor, "no2").Gain);
    }
}
