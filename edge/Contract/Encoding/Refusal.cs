namespace Hub.Edge.Contract.Encoding;

/// <summary>Why a record, or a whole pack, cannot be taken. Codes are stable: operators filter by them.</summary>
public enum RefusalReason
{
    /// <summary>The payload is not well-formed JSON or CBOR, or not an array of records. Concerns the pack from this record on.</summary>
    Malformed,

    /// <summary>The version (<c>bver</c>) is unknown, or differs within the pack. Concerns the whole pack.</summary>
    Version,

    /// <summary>A field name ending in <c>_</c> that we do not understand. Concerns the whole pack (RFC 8428 section 4.4).</summary>
    MustUnderstand,

    /// <summary>A field has the wrong type or is outside what it may be, occurs twice, or a number is not finite; or the record is not a map.</summary>
    FieldType,

    /// <summary>The name is missing, has characters SenML forbids, or is not <c>{sensor}/{observed property}</c>.</summary>
    Name,

    /// <summary>The observed property is not in the quantity catalogue.</summary>
    UnknownQuantity,

    /// <summary>The unit is not registered, needs a feature the version does not announce, or is not a unit of this quantity.</summary>
    Unit,

    /// <summary>No value, more than one, or one that is not a number.</summary>
    Value,

    /// <summary>The time is missing where it must be, out of range, or too far in the future.</summary>
    Time,

    /// <summary>The pack or its number of records is over the limit. Concerns the pack, or what is beyond the limit.</summary>
    TooLarge,

    /// <summary>The station is not known, or not allowed to report here. Given by the hub, never by the decoder.</summary>
    Station,
}

/// <summary>One refusal: what is wrong, where, and what to do.</summary>
/// <param name="RecordIndex">0-based index of the record in the pack; -1 when the pack as a whole is refused.</param>
/// <param name="Reason">The kind of mistake.</param>
/// <param name="Detail">What was found and what was expected, in English, one sentence, no payload bytes beyond the offending token.</param>
public sealed record Refusal(int RecordIndex, RefusalReason Reason, string Detail);
