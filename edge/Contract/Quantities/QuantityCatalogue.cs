using System.Diagnostics.CodeAnalysis;

namespace Hub.Edge.Contract.Quantities;

/// <summary>Every observed property the hub knows. Immutable; safe from any thread.</summary>
/// <remarks>
/// Part of the wire contract: an identifier, its unit and its averaging rule never change once released (a new meaning gets a new
/// identifier); names, descriptions and plausible ranges may be improved. <c>tests/edge/Contract/golden/catalogue.json</c> pins them.
/// </remarks>
public static partial class QuantityCatalogue
{
    private static readonly CatalogueEntry[] Entries = [.. Air(), .. Weather(), .. Noise(), .. NoiseBands(), .. Traffic(), .. Station(), .. Electrodes()];

    private static readonly Utf8Table<CatalogueEntry> Index = new(Entries, static entry => entry.Utf8Id);

    /// <summary>All quantities, in the order shown to people.</summary>
    public static IReadOnlyList<Quantity> All { get; } = Array.AsReadOnly(Array.ConvertAll(Entries, static entry => entry.Quantity));

    /// <summary>Finds a quantity by its identifier (ordinal, case-sensitive).</summary>
    public static bool TryGet(string id, [NotNullWhen(true)] out Quantity? quantity)
    {
        if (TryGetEntry(id, out CatalogueEntry? entry))
        {
            quantity = entry.Quantity;
            return true;
        }

        quantity = null;
        return false;
    }

    /// <summary>Finds a quantity by its identifier in UTF-8, without allocating.</summary>
    public static bool TryGet(ReadOnlySpan<byte> utf8Id, [NotNullWhen(true)] out Quantity? quantity)
    {
        if (Index.TryGet(utf8Id, out CatalogueEntry? entry))
        {
            quantity = entry.Quantity;
            return true;
        }

        quantity = null;
        return false;
    }

    internal static bool TryGetEntry(ReadOnlySpan<byte> utf8Id, [NotNullWhen(true)] out CatalogueEntry? entry) => Index.TryGet(utf8Id, out entry);

    internal static bool TryGetEntry(string id, [NotNullWhen(true)] out CatalogueEntry? entry)
    {
        // Identifiers are short ASCII; whatever does not fit is none of ours.
        Span<byte> utf8 = stackalloc byte[64];
        if (id is not null && System.Text.Encoding.UTF8.TryGetBytes(id, utf8, out int written))
        {
            return Index.TryGet(utf8[..written], out entry);
        }

        entry = null;
        return false;
    }
}

/// <summary>A quantity with what the codec needs of it, prepared once.</summary>
internal sealed class CatalogueEntry
{
    public CatalogueEntry(Quantity quantity)
    {
        Quantity = quantity;
        Utf8Id = System.Text.Encoding.UTF8.GetBytes(quantity.Id);
        Unit = SenmlUnits.TryGet(quantity.SenmlUnit, out SenmlUnit? unit)
            ? unit
            : throw new InvalidOperationException("Quantity " + quantity.Id + " has an unregistered unit " + quantity.SenmlUnit + ".");
    }

    public Quantity Quantity { get; }

    public byte[] Utf8Id { get; }

    public SenmlUnit Unit { get; }
}
