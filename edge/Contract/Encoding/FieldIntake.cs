using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Contract.Encoding;

/// <summary>Takes the fields of a record as either encoding delivers them, with the rules both share: type, range, one of each, base fields.</summary>
internal static class FieldIntake
{
    /// <summary>Longest period: a leap year, in seconds.</summary>
    public const int PeriodSecondsMax = 366 * 86_400;

    public static void Number(ref RecordFields fields, ref BaseFields bases, SenmlLabel label, double value, Extent raw)
    {
        if (!First(ref fields, ref bases, label, raw))
        {
            return;
        }

        if (label == SenmlLabel.BaseVersion)
        {
            Version(ref fields, ref bases, value);
            return;
        }

        if (!double.IsFinite(value))
        {
            Unusable(ref fields, ref bases, label, "is not a finite number");
            return;
        }

        switch (label)
        {
            case SenmlLabel.BaseTime:
                bases.Time = value;
                break;
            case SenmlLabel.BaseValue:
                bases.Value = value;
                break;
            case SenmlLabel.BaseSum:
                bases.Sum = value;
                break;
            case SenmlLabel.Value:
                fields.Value = value;
                break;
            case SenmlLabel.Sum:
                fields.Sum = value;
                break;
            case SenmlLabel.Time:
                fields.Time = value;
                break;
            case SenmlLabel.UpdateTime:
                fields.UpdateTime = value;
                break;
            case SenmlLabel.Raw:
                fields.Raw = value;
                break;
            case SenmlLabel.Coverage when value is >= 0 and <= 1:
                fields.Coverage = value;
                break;
            case SenmlLabel.Coverage:
                fields.Fail(RefusalReason.FieldType, "hc (coverage) must be from 0 to 1.");
                break;
            case SenmlLabel.Quality:
                Whole(ref fields, label, value, int.MaxValue, ref fields.Quality);
                break;
            case SenmlLabel.Period:
                Whole(ref fields, label, value, PeriodSecondsMax, ref fields.Period);
                break;
            case SenmlLabel.Calibration:
                Whole(ref fields, label, value, int.MaxValue, ref fields.Calibration);
                break;
            case SenmlLabel.Revision:
                Whole(ref fields, label, value, int.MaxValue, ref fields.Revision);
                break;
            default:
                Unusable(ref fields, ref bases, label, "must not be a number");
                break;
        }
    }

    /// <summary>Takes a text. It has been unescaped; <paramref name="fits"/> is false where it was too long (or not decodable) for that.</summary>
    public static void Text(
        ref RecordFields fields, ref BaseFields bases, SenmlLabel label, ReadOnlySpan<byte> text, Extent where, bool fits, Extent raw, Span<byte> scratch)
    {
        if (!First(ref fields, ref bases, label, raw))
        {
            return;
        }

        switch (label)
        {
            case SenmlLabel.Name:
                if (fits && text.Length <= Scratch.NameBytesMax)
                {
                    fields.Name = where;
                }
                else
                {
                    fields.Fail(RefusalReason.Name, "The name is longer than 256 bytes, or not valid text.");
                }

                break;
            case SenmlLabel.BaseName:
                if (fits && text.Length <= Scratch.NameBytesMax)
                {
                    text.CopyTo(scratch[Scratch.JoinedName..]);
                    bases.NameLength = text.Length;
                }
                else
                {
                    Break(ref bases, label);
                    fields.Fail(RefusalReason.Name, "The base name is longer than 256 bytes, or not valid text.");
                }

                break;
            case SenmlLabel.Unit:
                if (fits && text.Length <= Scratch.UnitBytesMax)
                {
                    fields.Unit = where;
                }
                else
                {
                    fields.Fail(RefusalReason.Unit, "The unit is longer than any registered one, or not valid text.");
                }

                break;
            case SenmlLabel.BaseUnit:
                if (fits && text.Length <= Scratch.UnitBytesMax)
                {
                    text.CopyTo(scratch[Scratch.BaseUnit..]);
                    bases.UnitLength = text.Length;
                    bases.Unit = SenmlUnits.TryGet(text, out SenmlUnit? unit) ? unit : null;
                }
                else
                {
                    Break(ref bases, label);
                    fields.Fail(RefusalReason.Unit, "The base unit is longer than any registered one, or not valid text.");
                }

                break;
            default:
                // vs, and vd in JSON: their text is looked at only by who wants it.
                fields.Text = where;
                break;
        }
    }

    public static void Boolean(ref RecordFields fields, ref BaseFields bases, bool value, Extent raw)
    {
        if (First(ref fields, ref bases, SenmlLabel.BooleanValue, raw))
        {
            fields.Boolean = value;
        }
    }

    public static void WrongType(ref RecordFields fields, ref BaseFields bases, SenmlLabel label, Extent raw)
    {
        if (!First(ref fields, ref bases, label, raw))
        {
            return;
        }

        if (label == SenmlLabel.BaseVersion)
        {
            Version(ref fields, ref bases, double.NaN);
            return;
        }

        Unusable(ref fields, ref bases, label, SenmlLabels.TypeOf(label) switch
        {
            SenmlFieldType.Number => "must be a number",
            SenmlFieldType.Boolean => "must be true or false",
            SenmlFieldType.Text => "must be a text",
            _ => "must be binary data (base64url text in JSON, a byte string in CBOR)",
        });
    }

    /// <summary>Marks a field unusable. A base field stays so until it is given again: later records must not go on with an older value.</summary>
    public static void Unusable(ref RecordFields fields, ref BaseFields bases, SenmlLabel label, string why)
    {
        Break(ref bases, label);
        fields.Fail(RefusalReason.FieldType, $"{SenmlLabels.Text(label)} {why}.");
    }

    private static void Break(ref BaseFields bases, SenmlLabel label)
    {
        if (SenmlLabels.Has(SenmlLabels.BaseMask, label))
        {
            bases.Broken |= 1u << (int)label;
        }
    }

    private static bool First(ref RecordFields fields, ref BaseFields bases, SenmlLabel label, Extent raw)
    {
        uint bit = 1u << (int)label;
        bool again = (fields.Seen & bit) != 0;
        fields.Seen |= bit;
        if ((bit & SenmlLabels.BaseMask) != 0)
        {
            bases.Set |= bit;
            bases.Raw[(int)label] = raw;
            if (!again)
            {
                bases.Broken &= ~bit;
            }
        }

        if (again)
        {
            // Which of the two was meant cannot be known.
            if (label != SenmlLabel.BaseVersion)
            {
                Unusable(ref fields, ref bases, label, "occurs twice in one record");
            }

            return label == SenmlLabel.BaseVersion;
        }

        return true;
    }

    private static void Version(ref RecordFields fields, ref BaseFields bases, double version)
    {
        if (SenmlVersion.IsUnderstood(version))
        {
            bases.Version = (int)version;
            return;
        }

        fields.Problem = PackScan.VersionProblem(version);
        fields.Reason = RefusalReason.Version;
        fields.EndsPack = true;
    }

    private static void Whole(ref RecordFields fields, SenmlLabel label, double value, int max, ref int target)
    {
        if (value >= 0 && value <= max && value == Math.Floor(value))
        {
            target = (int)value;
        }
        else
        {
            fields.Fail(RefusalReason.FieldType, $"{SenmlLabels.Text(label)} must be a whole number from 0 to {max}.");
        }
    }
}
