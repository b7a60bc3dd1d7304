using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Transfer.Import;

/// <summary>What reading has counted so far.</summary>
internal sealed class ImportCounts
{
    public long Rows { get; set; }

    public long RowsAside { get; set; }

    public long Missing { get; set; }

    public long LeftOut { get; set; }

    public long ReportRowsLeftOut { get; set; }

    public Dictionary<RefusalReason, long> RefusedBy { get; set; } = [];

    public void Refused(RefusalReason reason) => RefusedBy[reason] = RefusedBy.GetValueOrDefault(reason) + 1;

    public ImportCounts Copy() => new()
    {
        Rows = Rows,
        RowsAside = RowsAside,
        Missing = Missing,
        LeftOut = LeftOut,
        ReportRowsLeftOut = ReportRowsLeftOut,
        RefusedBy = new Dictionary<RefusalReason, long>(RefusedBy),
    };
}
