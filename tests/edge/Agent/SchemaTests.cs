using Hub.Tests.Kit;

namespace Hub.Edge.Agent.Tests;

public sealed class SchemaTests
{
    private const string SchemaPath = "firmware-config/schema/station.schema.json";

    /// <summary>To bring the file up to date, run the test once with the environment variable HUB_SCHEMA_WRITE=1 and look at the difference.</summary>
    [Fact]
    public void The_schema_checked_in_is_what_the_options_are()
    {
        var generated = SchemaGenerator.Generate();
        if (Environment.GetEnvironmentVariable("HUB_SCHEMA_WRITE") == "1")
        {
            File.WriteAllText(Path.Combine(Repository.Root, SchemaPath), generated);
        }

        Assert.Equal(generated, File.ReadAllText(Path.Combine(Repository.Root, SchemaPath)));
    }

    [Fact]
    public void The_agent_carries_the_schema_checked_in() => Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, SchemaPath)), StationSchema.Text());

    [Fact]
    public void Every_station_file_of_the_demonstration_is_valid()
    {
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "firmware-config/demo/stations"), "*.yaml", SearchOption.AllDirectories);
        Assert.True(files.Length >= 12);
        Assert.All(files, path => Assert.NotEmpty(StationFile.Read(path).Values));
    }
}
