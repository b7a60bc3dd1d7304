using System.Diagnostics.Metrics;

namespace Hub.Cloud.Municipalities;

/// <summary>Counters of the Municipalities stage, on a meter named as its assembly.</summary>
internal sealed class MunicipalitiesInstruments : IDisposable
{
    public const string MeterName = "Hub.Cloud.Municipalities";

    private readonly Meter meter;
    private readonly Counter<long> signIns;
    private readonly Counter<long> lockOuts;
    private readonly Counter<long> sessionsEnded;

    public MunicipalitiesInstruments(IMeterFactory? meters = null)
    {
        meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        signIns = meter.CreateCounter<long>("hub.municipalities.sign_ins", "{attempt}", "Attempts of people to sign in, by outcome.");
        lockOuts = meter.CreateCounter<long>("hub.municipalities.lock_outs", "{person}", "Times a person was locked out after too many wrong passwords.");
        sessionsEnded = meter.CreateCounter<long>("hub.municipalities.sessions.outdated", "{request}", "Requests whose session was issued before a change of password or roles.");
    }

    public void SignInAccepted() => signIns.Add(1, new KeyValuePair<string, object?>("outcome", "accepted"));

    public void SignInRefused() => signIns.Add(1, new KeyValuePair<string, object?>("outcome", "refused"));

    public void SignInBusy() => signIns.Add(1, new KeyValuePair<string, object?>("outcome", "busy"));

    public void LockedOut() => lockOuts.Add(1);

    public void SessionEnded() => sessionsEnded.Add(1);

    public void Dispose() => meter.Dispose();
}
