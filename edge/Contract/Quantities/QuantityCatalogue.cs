using System.Diagnostics.CodeAnalysis;

namespace Hub.Edge.Contract.Quantities;

/// <summary>Every observed property the hub knows. Immutable; safe from any thread.</summary>
public static class QuantityCatalogue
{
    /// <summary>All quantities, in the order shown to people.</summary>
    public static IReadOnlyList<Quantity> All { get; } = [];

    /// <summary>Finds a quantity by its identifier (ordinal, case-sensitive).</summary>
    public static bool TryGet(string id, [NotNullWhen(true)] out Quantity? quantity) => throw new NotImplementedException();

    /// <summary>Finds a quantity by its identifier in UTF-8, without allocating.</summary>
    public static bool TryGet(ReadOnlySpan<byte> utf8Id, [NotNullWhen(true)] out Quantity? quantity) => throw new NotImplementedException();
}
