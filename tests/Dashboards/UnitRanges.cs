namespace Hub.Tests.Dashboards;

/// <summary>Between which values a measure in a unit of Grafana lies, outdoors in a city: an answer outside is a wrong question.</summary>
public static class UnitRanges
{
    public static (double Min, double Max) Of(string unit) => unit switch
    {
        "dB" => (0, 140),
        "dBm" => (-150, 0),
        "conμgm3" => (-5, 2_000),
        "conmgm3" => (-1, 150),
        "celsius" => (-40, 125),
        "humidity" or "percent" => (0, 100),
        "percentunit" => (0, 1.01),
        "velocitykmh" => (0, 250),
        "suffix: veh/h" => (0, 20_000),
        "suffix: /h" => (0, 20_000),
        "volt" => (0, 60),
        "s" => (0, 4e9),
        "bytes" => (0, 1e12),
        "ops" or "reqps" => (0, 1e6),
        "short" => (0, 1e9),
        "none" => (-1e13, 1e13),
        _ => throw new ArgumentException($"What is usual in {unit} is not said in UnitRanges.", nameof(unit)),
    };
}
