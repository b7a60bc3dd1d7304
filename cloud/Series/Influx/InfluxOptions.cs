using System.Globalization;
using System.Net;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Series;

/// <summary>How InfluxDB takes writes.</summary>
public enum InfluxApi
{
    /// <summary><c>/write?db=</c>: InfluxDB 1.x and what imitates it.</summary>
    V1,

    /// <summary><c>/api/v2/write?org=&amp;bucket=</c>: InfluxDB 2.x and 3.x.</summary>
    V2,
}

/// <summary>Settings of the store on InfluxDB, section <c>Hub:Series:Influx</c>; used when <c>Hub:Series:Store</c> is Influx. Read once at start. The queue's settings are those of <see cref="SeriesOptions"/>.</summary>
public sealed class InfluxOptions
{
    /// <summary>The section these settings are bound from.</summary>
    public const string Section = "Hub:Series:Influx";

    /// <summary>Address of the server, http or https, with a path when it lies behind a proxy. Default: http://127.0.0.1:8086.</summary>
    public string Address { get; set; } = "http://127.0.0.1:8086";

    /// <summary>Allows plain http to a server that is not on this machine. Default: no.</summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>How writes are sent; default V1. Reads are InfluxQL in both.</summary>
    public InfluxApi Api { get; set; }

    /// <summary>Database of InfluxQL; default <c>hub</c>. With V2 the name that is mapped to the bucket. One hub writes to a database. With V1 it is made when it is absent and the user may.</summary>
    public string Database { get; set; } = "hub";

    /// <summary>Retention policy of InfluxQL; default none: the database's default policy.</summary>
    public string RetentionPolicy { get; set; } = "";

    /// <summary>Organisation of V2, name or identifier.</summary>
    public string Organisation { get; set; } = "";

    /// <summary>Bucket of V2.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>User of V1; default none.</summary>
    public string User { get; set; } = "";

    /// <summary>Password of the user. Better in <see cref="PasswordFile"/>.</summary>
    public string Password { get; set; } = "";

    /// <summary>File whose first line is the password; read at each start.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>Token; default none. Goes before user and password.</summary>
    public string Token { get; set; } = "";

    /// <summary>File whose first line is the token; read at each start.</summary>
    public string TokenFile { get; set; } = "";

    /// <summary>Lines in one write, 1 to 50,000; default 5,000. A commit with more is several writes.</summary>
    public int BatchLinesMax { get; set; } = 5_000;

    /// <summary>Writes of one commit at the same time, 1 to 16; default 2.</summary>
    public int WritesMax { get; set; } = 2;

    /// <summary>Queries at the same time, 1 to 64; default 4. More wait for their turn.</summary>
    public int QueriesMax { get; set; } = 4;

    /// <summary>Whether writes are compressed; default yes.</summary>
    public bool Gzip { get; set; } = true;

    /// <summary>Time the server may take for a write, or for the next part of an answer, 100 ms to 10 min; default 10 s. Past it the server counts as away.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>First pause before the server is tried again, 10 ms to 1 min; default 500 ms. It doubles up to <see cref="RetryMax"/>.</summary>
    public TimeSpan RetryMin { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest pause before the server is tried again, 10 ms to 10 min; default 30 s.</summary>
    public TimeSpan RetryMax { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the note on the server lasts by which this hub keeps others away, 1 s to 10 min; default 30 s, and never less than three times <see cref="RequestTimeout"/>. Renewed after a third of it.
    /// Shorter: a hub on another machine can follow sooner after this one was killed.
    /// </summary>
    public TimeSpan LeaseTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Disk that the spill may take while the server is away, MiB, 1 to 1,000,000; default 512. Past it nothing is acknowledged.</summary>
    public int SpillMegabytesMax { get; set; } = 512;

    /// <summary>Observations in the spill, 1,000 to 50,000,000; default 1,000,000, about 250 bytes of memory each. Past it nothing is acknowledged.</summary>
    public int SpillObservationsMax { get; set; } = 1_000_000;

    /// <summary>Observations that the server refuses and the hub keeps, 0 to 1,000,000; default 10,000. Past it they are not acknowledged.</summary>
    public int RefusedObservationsMax { get; set; } = 10_000;

    /// <summary>Time between two attempts to hand over what the server has refused, 1 s to 7 days; default 1 h. Also tried at start.</summary>
    public TimeSpan RefusedRetryAfter { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>Refuses settings outside the ranges stated on <see cref="InfluxOptions"/>, when the store on InfluxDB is chosen; each message names the full key.</summary>
internal sealed class InfluxOptionsValidator(IOptions<SeriesOptions> series) : IValidateOptions<InfluxOptions>
{
    public ValidateOptionsResult Validate(string? name, InfluxOptions options) =>
        series.Value.Store == SeriesStore.Influx && Faults(options) is { Count: > 0 } faults ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;

    private static List<string> Faults(InfluxOptions options)
    {
        var faults = new List<string>();
        if (!Uri.TryCreate(options.Address, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps) || address.UserInfo.Length > 0)
        {
            faults.Add($"{InfluxOptions.Section}:Address is no address of a server: give one like http://127.0.0.1:8086, without user and password.");
        }
        else if (address.Scheme == Uri.UriSchemeHttp && !IsHere(address) && !options.AllowPlainHttp)
        {
            faults.Add($"{InfluxOptions.Section}:Address is plain http to another machine: use https, or set {InfluxOptions.Section}:AllowPlainHttp where the network is trusted.");
        }

        Named(options.Database, nameof(options.Database));
        if (options.Api == InfluxApi.V2)
        {
            Named(options.Bucket, nameof(options.Bucket));
        }

        OneOf(options.Password, options.PasswordFile, nameof(options.Password));
        OneOf(options.Token, options.TokenFile, nameof(options.Token));
        Within(options.BatchLinesMax, 1, 50_000, nameof(options.BatchLinesMax));
        Within(options.WritesMax, 1, 16, nameof(options.WritesMax));
        Within(options.QueriesMax, 1, 64, nameof(options.QueriesMax));
        Within(options.RequestTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10), nameof(options.RequestTimeout));
        Within(options.RetryMin, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), nameof(options.RetryMin));
        Within(options.RetryMax, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(10), nameof(options.RetryMax));
        Within(options.LeaseTime, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), nameof(options.LeaseTime));
        Within(options.SpillMegabytesMax, 1, 1_000_000, nameof(options.SpillMegabytesMax));
        Within(options.SpillObservationsMax, 1_000, 50_000_000, nameof(options.SpillObservationsMax));
        Within(options.RefusedObservationsMax, 0, 1_000_000, nameof(options.RefusedObservationsMax));
        Within(options.RefusedRetryAfter, TimeSpan.FromSeconds(1), TimeSpan.FromDays(7), nameof(options.RefusedRetryAfter));
        return faults;

        void Named(string value, string key)
        {
            if (string.IsNullOrWhiteSpace(value) || value.Any(char.IsControl))
            {
                faults.Add($"{InfluxOptions.Section}:{key} is no name.");
            }
        }

        void OneOf(string value, string file, string key)
        {
            if (value.Length > 0 && file.Length > 0)
            {
                faults.Add($"{InfluxOptions.Section}:{key} and {key}File are both set: keep one.");
            }
            else if (file.Length > 0 && !File.Exists(file))
            {
                faults.Add($"{InfluxOptions.Section}:{key}File is '{file}', which is no file.");
            }
        }

        void Within<T>(T value, T min, T max, string key) where T : IComparable<T>
        {
            if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{InfluxOptions.Section}:{key} is {value}: it must be between {min} and {max}."));
            }
        }
    }

    private static bool IsHere(Uri address) => address.IsLoopback || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
}
