using Microsoft.Extensions.Options;

namespace Hub.Cloud.Municipalities;

/// <summary>Settings of the Municipalities stage, section <c>Hub:Municipalities</c>. Read once at start; a change needs a restart.</summary>
public sealed class MunicipalitiesOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Hub:Municipalities";

    /// <summary>Wrong passwords in a row after which a person is locked out, 3 to 100; default 5.</summary>
    public int FailuresMax { get; set; } = 5;

    /// <summary>How long a lock-out lasts, 1 minute to 1 day; default 5 minutes. Longer slows guessing down, and lets others lock a person out for longer.</summary>
    public TimeSpan LockOut { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a login in the browser lasts without use, 5 minutes to 30 days; default 12 hours.</summary>
    public TimeSpan CookieLife { get; set; } = TimeSpan.FromHours(12);

    /// <summary>How long a bearer token is good, 1 minute to 1 day; default 1 hour.</summary>
    public TimeSpan TokenLife { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a session may go on before it is compared with the database again, 1 second to 1 hour; default 30 seconds. A role or password changed in this
    /// process ends the person's sessions at once; one changed by another process (the command line tools) within this time.
    /// </summary>
    public TimeSpan SessionCheck { get; set; } = TimeSpan.FromSeconds(30);
}

internal sealed class MunicipalitiesOptionsValidator : IValidateOptions<MunicipalitiesOptions>
{
    public ValidateOptionsResult Validate(string? name, MunicipalitiesOptions options)
    {
        List<string> failures = [];
        if (options.FailuresMax is < 3 or > 100)
        {
            failures.Add($"{MunicipalitiesOptions.Section}:{nameof(options.FailuresMax)} is {options.FailuresMax}; it must be 3 to 100.");
        }

        Between(nameof(options.LockOut), options.LockOut, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1));
        Between(nameof(options.CookieLife), options.CookieLife, TimeSpan.FromMinutes(5), TimeSpan.FromDays(30));
        Between(nameof(options.TokenLife), options.TokenLife, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1));
        Between(nameof(options.SessionCheck), options.SessionCheck, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Between(string key, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most)
            {
                failures.Add($"{MunicipalitiesOptions.Section}:{key} is {value:c}; it must be {least:c} to {most:c}.");
            }
        }
    }
}
