namespace Hub.Tests.Kit;

/// <summary>Waits for a state, never for a duration. The limit only decides when a test that would hang fails.</summary>
public static class Eventually
{
    /// <summary>Far beyond what anything takes on an idle machine: one that does the work of three more has stood still for a minute.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public static async Task TrueAsync(Func<bool> state, string what, TimeSpan? limit = null) =>
        await TrueAsync(() => Task.FromResult(state()), what, limit);

    public static async Task TrueAsync(Func<Task<bool>> state, string what, TimeSpan? limit = null)
    {
        using var timeout = new CancellationTokenSource(limit ?? Limit);
        while (!await state())
        {
            if (timeout.IsCancellationRequested)
            {
                throw new TimeoutException($"It never came to be that {what}.");
            }

            await Task.Delay(20, CancellationToken.None);
        }
    }
}
