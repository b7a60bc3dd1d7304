namespace Hub.Cloud.Series;

/// <summary>Kept rollups out of the store and into it.</summary>
internal sealed partial class EmbeddedSeries
{
    public IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlyCollection<int>? datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        _queries.CondensedDaysAsync(datastreams?.ToHashSet(), EventTime.Bound(from, nameof(from)), EventTime.Bound(to, nameof(to)), cancellationToken);

    public async ValueTask<IReadOnlyList<CondensedOutcome>> TakeCondensedAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken)
    {
        CondensedDay.ThrowIfNot(days);
        cancellationToken.ThrowIfCancellationRequested();
        if (!_open)
        {
            throw NotOpen();
        }

        await _deleting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // From here on it runs to its end.
            return await _compactor.RunAsync(_ => new KeptTaking(_store, days).Run(_compactor.Months)).ConfigureAwait(false);
        }
        catch (Exception e) when (PartDamage.PathOf(e) is not null)
        {
            throw new SeriesUnavailableException(_damage.Note(PartDamage.PathOf(e)!, e), e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SeriesUnavailableException($"The series store in {_options.Folder} cannot take rollups: see that the disk is not full and can be written, and try again; months that were taken stay.", e);
        }
        finally
        {
            _deleting.Release();
        }
    }
}
