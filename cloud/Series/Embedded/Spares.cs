namespace Hub.Cloud.Series;

/// <summary>
/// Buffers of megabytes that are used again: made anew for each question, flush or merge they would be thrown away so fast that the garbage collector went through all of memory several times a second. Safe for
/// concurrent callers.
/// </summary>
/// <param name="make">Makes one where none is left.</param>
/// <param name="countMax">How many are kept at most.</param>
internal sealed class Spares<T>(Func<T> make, int countMax)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly Stack<T> _spares = [];

    /// <summary>One for the caller alone; what is in it means nothing.</summary>
    public T Rent()
    {
        lock (_lock)
        {
            if (_spares.TryPop(out var spare))
            {
                return spare;
            }
        }

        return make();
    }

    /// <summary>Takes back what its caller does not use any more; disposes of it when there are enough. Whatever is not given back is left to the garbage collector.</summary>
    public void Return(T spare)
    {
        lock (_lock)
        {
            if (_spares.Count < countMax)
            {
                _spares.Push(spare);
                return;
            }
        }

        (spare as IDisposable)?.Dispose();
    }

    /// <summary>Lets go of everything kept.</summary>
    public void Trim()
    {
        T[] spares;
        lock (_lock)
        {
            spares = [.. _spares];
            _spares.Clear();
        }

        foreach (var spare in spares)
        {
            (spare as IDisposable)?.Dispose();
        }
    }
}
