using System.Collections.Concurrent;
using Hub.Cloud.QualityControl.Checks;

namespace Hub.Cloud.QualityControl;

/// <summary>The declarations, in memory: written after the store. Safe for concurrent callers.</summary>
internal sealed class ParameterBook
{
    private static readonly ConcurrentDictionary<string, ParameterHistory> Defaults = new(StringComparer.Ordinal);

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<(string Municipality, string Property), ParameterHistory> _declared = new();

    /// <summary>What is in force for a property in a municipality over time.</summary>
    public ParameterHistory Of(string municipality, string property) =>
        _declared.TryGetValue((municipality, property), out var history) ? history : Defaults.GetOrAdd(property, static id => new ParameterHistory([], CheckDefaults.Of(id)));

    /// <summary>Everything declared in a municipality, by property and version.</summary>
    public IReadOnlyList<CheckDeclaration> Declarations(string municipality) =>
        [.. _declared.Where(entry => entry.Key.Municipality == municipality).OrderBy(entry => entry.Key.Property, StringComparer.Ordinal).SelectMany(entry => entry.Value.Declarations)];

    /// <summary>Takes over declarations; those known already change nothing.</summary>
    public void Add(IEnumerable<CheckDeclaration> declarations)
    {
        lock (_gate)
        {
            foreach (var group in declarations.GroupBy(declaration => (declaration.Municipality, declaration.Property)))
            {
                var known = Of(group.Key.Municipality, group.Key.Property).Declarations;
                _declared[group.Key] = new ParameterHistory([.. known.Concat(group).DistinctBy(declaration => declaration.Version).OrderBy(declaration => declaration.Version)], CheckDefaults.Of(group.Key.Property));
            }
        }
    }
}
