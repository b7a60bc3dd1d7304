using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Hub.Cloud.Api;

[Description("What went wrong (RFC 9457), with a stable code.")]
internal sealed record ProblemDocument(
    [property: Description("urn:hub:problem: and the code.")] string Type,
    string Title,
    int Status,
    [property: Description("What happened this time.")] string Detail,
    [property: Description("Stable; GET /api/v1/problems lists them all.")] string Code,
    [property: Description("The parameter concerned."), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Parameter);

[Description("A part of a list, and where it goes on.")]
internal sealed record PageDocument<T>(
    IReadOnlyList<T> Items,
    [property: Description("Address of the next part; null at the end.")] string? Next);

[Description("A municipality: owner of stations, people and rules.")]
internal sealed record MunicipalityDocument(
    [property: Description("Identifier.")] string Municipality,
    string Name,
    [property: Description("Convergence region (NUTS 2).")] string Region,
    [property: Description("INE code, four digits; empty outside Portugal.")] string Code,
    [property: Description("WGS 84, degrees.")] double Latitude,
    [property: Description("WGS 84, degrees.")] double Longitude,
    [property: Description("IANA time zone of its legal day.")] string Zone);

[Description("A place with an agent.")]
internal record StationDocument(
    string Municipality,
    [property: Description("Identifier within the municipality.")] string Station,
    string Name,
    [property: Description("WGS 84, degrees.")] double Latitude,
    [property: Description("WGS 84, degrees.")] double Longitude,
    [property: Description("Whether everybody may see it.")] bool Public,
    [property: Description("Whose data it shows and how they came here; empty when they are the municipality's own.")] string Attribution,
    [property: Description("Words by which the municipality groups its stations, in order.")] IReadOnlyList<string> Tags);

[Description("The tags a station should have, instead of those it has.")]
internal sealed record StationTagsRequest(
    [property: Description("At most 20, each 1 to 40 of a-z, 0-9 and -, beginning and ending with a letter or digit; none takes all away.")] IReadOnlyList<string?> Tags);

[Description("A station with its datastreams.")]
internal sealed record StationDetailsDocument(
    string Municipality,
    string Station,
    string Name,
    double Latitude,
    double Longitude,
    bool Public,
    string Attribution,
    IReadOnlyList<string> Tags,
    IReadOnlyList<DatastreamDocument> Datastreams) : StationDocument(Municipality, Station, Name, Latitude, Longitude, Public, Attribution, Tags);

[Description("One observed property of one sensor at one station with its averaging period: a series.")]
internal sealed record DatastreamDocument(
    [property: Description("Identifier, for ever the same.")] int Datastream,
    string Municipality,
    string Station,
    string StationName,
    string Sensor,
    [property: Description("Observed property: an identifier of GET /api/v1/quantities.")] string Property,
    [property: Description("Unit of every result, SenML symbol.")] string Unit,
    [property: Description("The same unit, UCUM symbol.")] string UnitUcum,
    [property: Description("Averaging or counting period, ISO 8601; PT0S for instantaneous values.")] string Period,
    [property: Description("Figure that represents a longer time: what `stat` is when not given.")] string Statistic,
    [property: Description("Phenomenon time of the newest observation, UTC; null when there is none.")] DateTime? LatestAt,
    string Attribution);

[Description("A reading the hub has accepted, as it is stored.")]
internal sealed record ObservationDocument(
    [property: Description("UTC; start of the averaging period.")] DateTime PhenomenonTime,
    [property: Description("In the unit of the datastream.")] double Result,
    [property: Description("What is known against the value; empty when it is good.")] IReadOnlyList<string> Quality,
    [property: Description("Version of the calibration that made the result; 0 when none was applied.")] int Calibration,
    [property: Description("Value before calibration; null when none was applied.")] double? Raw,
    [property: Description("Share of the period really measured, 0 to 1; null when not stated.")] double? Coverage,
    [property: Description("Revision by the source.")] int Revision);

[Description("Observations of a stretch of time combined into one figure.")]
internal sealed record BucketDocument(
    [property: Description("UTC; begin, inclusive.")] DateTime PhenomenonTime,
    [property: Description("UTC; end, exclusive.")] DateTime PhenomenonTimeEnd,
    [property: Description("The statistic, in the unit of the datastream (a count has none).")] double Result,
    [property: Description("All that is known against any of the values.")] IReadOnlyList<string> Quality,
    [property: Description("Observations in it.")] long Count,
    [property: Description("Share of the whole stretch covered by observations, 0 to 1: each counts its own coverage of its averaging period. Null for instantaneous values.")] double? Coverage,
    [property: Description("Whether so much is covered that the figure is valid by law (air: 75 % from an hour on, 90 % of a year). Null where the law asks no least coverage. What is not valid is given all the same.")] bool? Valid,
    [property: Description("Smallest result in it.")] double Min,
    [property: Description("Largest result in it.")] double Max);

[Description("Observations of a datastream; `observations` holds buckets unless `resolution` is raw.")]
internal sealed record ObservationsDocument(
    DatastreamDocument Datastream,
    DateTime From,
    DateTime To,
    [property: Description("Width of the buckets, ISO 8601; null for observations as they are stored.")] string? Every,
    [property: Description("Figure in each bucket; null for observations as they are stored.")] string? Statistic,
    [property: Description("Percentage of a percentile; null for any other figure.")] double? Percent,
    [property: Description("What the answer is made of: `raw` for observations as they are stored, else the width of the buckets, ISO 8601.")] string Resolution,
    [property: Description("Points that were asked for at most; null when none were.")] int? Points,
    IReadOnlyList<ObservationDocument> Observations,
    int Count,
    [property: Description("Address of the next part; null at the end.")] string? Next);

[Description("The newest observation of a datastream.")]
internal sealed record LatestDocument(
    int Datastream,
    string Municipality,
    string Station,
    string StationName,
    string Sensor,
    string Property,
    string Unit,
    [property: Description("Averaging or counting period, ISO 8601; PT0S for instantaneous values.")] string Period,
    DateTime PhenomenonTime,
    double Result,
    [property: Description("What is known against the value; empty when it is good.")] IReadOnlyList<string> Quality,
    int Calibration,
    double? Coverage);

[Description("One episode of one rule on one datastream, in event time.")]
internal sealed record AlarmDocument(
    string Alarm,
    string Municipality,
    string Rule,
    string Station,
    int Datastream,
    string? Property,
    string? Unit,
    string Severity,
    bool Active,
    [property: Description("When the condition began to hold, UTC.")] DateTime ConditionAt,
    [property: Description("When it had held for the rule's duration, UTC.")] DateTime StartedAt,
    [property: Description("When it ended, UTC; null while active.")] DateTime? EndedAt,
    double StartValue,
    double Peak,
    double LastValue,
    [property: Description("When the hub first knew, UTC.")] DateTime DetectedAt,
    [property: Description("Revealed by late data, after it had ended or long after it began.")] bool Past,
    [property: Description("Later data showed that it never was.")] bool Withdrawn,
    [property: Description("By ISA-18.2: normal, active-unacknowledged, active-acknowledged or returned-unacknowledged.")] string State,
    [property: Description("UTC; null before.")] DateTime? AcknowledgedAt,
    [property: Description("Who acknowledged it; null before, and for whoever is not of the municipality.")] string? AcknowledgedBy,
    [property: Description("Who looks after it; null for nobody, and for whoever is not of the municipality.")] string? AssignedTo,
    [property: Description("Until when its rule is shelved at its station, UTC: nothing new is told; null when it is not.")] DateTime? ShelvedUntil,
    [property: Description("Whether its station, or its rule at it, is out of service: nothing new is told.")] bool OutOfService,
    [property: Description("What the alarms of several levels of a rule on a datastream at the same time have in common, and messages about them; the alarm's own identifier or that of an earlier one.")] string Incident,
    [property: Description("Identifier of the active alarm at its station that suppresses it by design: nothing new is told; null for none.")] string? SuppressedBy);

[Description("An area: a GeoJSON Polygon (RFC 7946) with one ring.")]
internal sealed record AreaDocument(
    [property: Description("Polygon.")] string Type,
    [property: Description("One ring of 3 to 200 corners, each longitude and latitude, WGS 84, degrees; it is given back closed, and taken closed or not. Its border must not cross itself.")] IReadOnlyList<IReadOnlyList<IReadOnlyList<double>>> Coordinates);

[Description("A further level of a rule: the same condition, more serious than the level before it, with alarms of its own.")]
internal sealed record RuleLevelDocument(
    [property: Description("warning or alert.")] string Severity,
    double SetLevel,
    double ClearLevel,
    [property: Description("How long the condition must hold, ISO 8601.")] string For,
    [property: Description("How long the measure must stay at or beyond the clear level before the alarm ends, ISO 8601.")] string OffFor);

[Description("A further level of a rule, as it should be.")]
internal sealed record RuleLevelRequest(
    [property: Description("warning or alert; more serious than the level before it.")] string Severity,
    [property: Description("Level at which the condition begins to hold; at or beyond that of the level before it.")] double SetLevel,
    [property: Description("Level at which it ends; setLevel when absent.")] double? ClearLevel = null,
    [property: Description("How long the condition must hold, ISO 8601, up to P7D; at once when absent.")] string? For = null,
    [property: Description("How long the measure must stay at or beyond the clear level before the alarm ends, ISO 8601, up to P7D; at once when absent.")] string? OffFor = null);

[Description("A threshold condition.")]
internal sealed record RuleDocument(
    string Municipality,
    string Rule,
    string NamePt,
    string NameEn,
    string Severity,
    [property: Description("Identifier of the observed property; empty for offline and air-index, which are of the station as a whole.")] string Property,
    string? Unit,
    [property: Description("Only this station; null for all.")] string? Station,
    [property: Description("Only this sensor; null for all.")] string? Sensor,
    [property: Description("Only datastreams with this averaging period, ISO 8601; null for all.")] string? Period,
    [property: Description("above or below.")] string Crossing,
    double SetLevel,
    double ClearLevel,
    [property: Description("How long the condition must hold, ISO 8601.")] string For,
    bool Enabled,
    [property: Description("Whether the stations watch it themselves too.")] bool Edge,
    [property: Description("What of a datastream is compared: value, mean (of sound levels the mean of the energies), sum, max, min, percentile, count, change, spread (largest less smallest), good-share (percent of the observations that rules do not pass over), no-data, lden and ln (of one noise day, 07:00 to 07:00 by the municipality's clock), exceedances (how many hours or days of the calendar year had a mean above limit: more than setLevel are too many), offline (of a station: nothing from any of its datastreams), difference-to-municipality and difference-to-neighbours (mean of a window of the clock less the median of the other stations' means, at least 3 of the municipality, or 1 to 5 within 3 km), air-index (European Air Quality Index of a station by the hour, 1 to 6; one pollutant is enough).")] string Measure,
    [property: Description("Over which time it is measured, ISO 8601; null for single values.")] string? Window,
    [property: Description("Whether windows are the hours or days of the municipality's clock, not those that end at each observation.")] bool OnClock,
    [property: Description("Of a percentile: percent of the observations at or below it.")] double? Percent,
    [property: Description("Share of a window that must be covered by observations for it to say anything.")] double? CoverageMin,
    [property: Description("How long the measure must stay at or beyond the clear level before the alarm ends, ISO 8601.")] string OffFor,
    [property: Description("When it is in force, by the municipality's clock; empty for always.")] string Schedule,
    [property: Description("Where its levels come from; empty for the municipality's own.")] string Source,
    [property: Description("Further levels, each more serious than the one before it; the first is the rule's own. While an alarm of one is active, nothing new is told of those before it.")] IReadOnlyList<RuleLevelDocument> Levels,
    [property: Description("Only stations in this area, each observation judged by where its station was then; null for everywhere.")] AreaDocument? Area,
    [property: Description("Rules of the municipality: while an alarm of one of them is active at a station, nothing new is told of this rule there.")] IReadOnlyList<string> SuppressedBy,
    [property: Description("Only stations that have this tag now; null for all.")] string? Tag,
    [property: Description("Of exceedances: a mean above it is one, canonical unit of the property; levels are then counts allowed in a year. Null for every other measure.")] double? Limit);

[Description("A set of rules that comes with the hub.")]
internal sealed record RulePackDocument(string Pack, string TitlePt, string TitleEn, [property: Description("Names of its rules.")] IReadOnlyList<string> Rules);

[Description("What taking over a file of rules did, or would do: names of rules.")]
internal sealed record RuleFileDocument(
    [property: Description("true: nothing was changed.")] bool Preview,
    IReadOnlyList<string> Added,
    IReadOnlyList<string> Changed,
    IReadOnlyList<string> Unchanged,
    IReadOnlyList<string> Removed);

[Description("A rule as it should be; municipality and name stand in the address.")]
internal sealed record RuleRequest(
    string NamePt,
    string NameEn,
    [property: Description("information, warning or alert.")] string Severity,
    [property: Description("Identifier of the observed property; needed but for offline and air-index, which are of the station as a whole and have none.")] string? Property = null,
    [property: Description("above or below; needed but for no-data and offline.")] string? Crossing = null,
    [property: Description("Level at which the condition begins to hold, canonical unit of the property, or class of the air index; needed but for no-data and offline.")] double? SetLevel = null,
    [property: Description("Level at which it ends; setLevel when absent.")] double? ClearLevel = null,
    [property: Description("How long the condition must hold, ISO 8601, up to P7D; at once when absent.")] string? For = null,
    [property: Description("Only this station; all when absent.")] string? Station = null,
    [property: Description("Only this sensor; all when absent.")] string? Sensor = null,
    [property: Description("Only datastreams with this averaging period, ISO 8601; all when absent.")] string? Period = null,
    [property: Description("false: neither starts nor ends alarms; true when absent.")] bool? Enabled = null,
    [property: Description("true: the stations it concerns watch it themselves too; false when absent.")] bool? Edge = null,
    [property: Description("What of a datastream is compared: value (when absent), mean (of sound levels the mean of the energies), sum, max, min, percentile, count, change, spread (largest less smallest), good-share (percent of the observations that rules do not pass over), no-data (silence), lden and ln (of one noise day, 07:00 to 07:00 by the municipality's clock: onClock with a window of P1D), exceedances (how many hours or days of the calendar year had a mean above limit: onClock with PT1H or P1D; setLevel is how many are allowed), offline (of a station: nothing from any of its datastreams; crossing and levels are not used of either), difference-to-municipality and difference-to-neighbours (mean of a window of the clock less the median of the other stations' means, at least 3 of the municipality, or 1 to 5 within 3 km), air-index (European Air Quality Index of a station by the hour, 1 to 6; one pollutant is enough). Differences and air-index need onClock.")] string? Measure = null,
    [property: Description("Over which time it is measured, ISO 8601, PT1S to P7D; with no-data and offline how long the silence must last; of differences PT10M to P1D, of air-index PT1H. Needed for every measure but value.")] string? Window = null,
    [property: Description("true: windows are those of the municipality's clock, P1D or a part of the hour such as PT1H, as limits of the law count them; false when absent.")] bool? OnClock = null,
    [property: Description("Of a percentile: percent of the observations at or below it.")] double? Percent = null,
    [property: Description("Share of a window that must be covered by observations, 0 to 1; 0.75 when absent.")] double? CoverageMin = null,
    [property: Description("How long the measure must stay at or beyond the clear level before the alarm ends, ISO 8601, up to P7D; at once when absent.")] string? OffFor = null,
    [property: Description("When it is in force, by the municipality's clock: night, or mo-fr 08:00-18:30 and more with commas, and after a semicolon holidays or no holidays; always when absent.")] string? Schedule = null,
    [property: Description("Where its levels come from, at most 500 characters.")] string? Source = null,
    [property: Description("Further levels, each more serious than the one before it; none when absent. Stations (edge) watch only the rule's own.")] IReadOnlyList<RuleLevelRequest?>? Levels = null,
    [property: Description("Only stations in this area, each observation judged by where its station was then; everywhere when absent.")] AreaDocument? Area = null,
    [property: Description("Rules of the municipality, at most 10: while an alarm of one of them is active at a station, nothing new is told of this rule there; none when absent.")] IReadOnlyList<string?>? SuppressedBy = null,
    [property: Description("Only stations that have this tag now; all when absent. Not with edge.")] string? Tag = null,
    [property: Description("Of exceedances, and needed for them: a mean above it is one, canonical unit of the property.")] double? Limit = null);

[Description("What a rule would have done over what is stored. Nothing was stored and nobody was told.")]
internal sealed record RehearsalDocument(
    DateTime From,
    DateTime To,
    [property: Description("How many alarms there would have been, those not listed too.")] int Count,
    [property: Description("Datastreams that the rule concerns.")] int Datastreams,
    [property: Description("Observations evaluated.")] long Observations,
    [property: Description("Share of the time, over all its datastreams, in which an alarm would have been open.")] double ActiveShare,
    [property: Description("Newest first.")] IReadOnlyList<RehearsedAlarmDocument> Alarms);

[Description("An alarm that a rule would have raised.")]
internal sealed record RehearsedAlarmDocument(
    string Station,
    int Datastream,
    DateTime ConditionAt,
    DateTime StartedAt,
    [property: Description("null: open at the end of the time asked for.")] DateTime? EndedAt,
    double StartValue,
    double Peak,
    [property: Description("That of its level.")] string Severity);

[Description("An observed property, with its one canonical unit.")]
internal sealed record QuantityDocument(
    string Property,
    string NamePt,
    string NameEn,
    [property: Description("SenML symbol.")] string Unit,
    [property: Description("UCUM symbol.")] string UnitUcum,
    double PlausibleMin,
    double PlausibleMax,
    [property: Description("Figure that represents a longer time.")] string Statistic,
    string Description,
    string Source);

[Description("A refused record, or a whole refused pack.")]
internal sealed record QuarantinedDocument(
    long Id,
    string Municipality,
    string Station,
    DateTime ReceivedAt,
    string Transport,
    [property: Description("json, cbor, or null when unknown.")] string? Format,
    [property: Description("Kind of mistake.")] string Reason,
    string Detail,
    [property: Description("0-based place in the pack; -1 for the whole pack.")] int RecordIndex,
    [property: Description("Bytes before cutting.")] long PayloadLength,
    [property: Description("The refused bytes as text where they are UTF-8; otherwise null.")] string? PayloadText,
    [property: Description("The refused bytes in base64 where they are not UTF-8; otherwise null.")] string? PayloadBase64);

[Description("What became of a released record. received = stored + corrected + duplicate + quarantined.")]
internal sealed record ReceiptDocument(int Received, int Stored, int Corrected, int Duplicate, int Quarantined, IReadOnlyList<string> Refusals);

[Description("What is right where a calibration was wrong: result = raw x gain + offset.")]
internal sealed record RecalibrationRequest(
    [property: Description("Version of the calibration that was wrong, 1 or more.")] int? Calibration,
    [property: Description("Right factor, not 0.")] double? Gain,
    [property: Description("Right offset, in the unit of the datastream.")] double? Offset,
    [property: Description("Only observations from here on; all when absent.")] DateTimeOffset? From = null,
    [property: Description("Only observations before; all when absent.")] DateTimeOffset? To = null);

[Description("What became of a corrected calibration.")]
internal sealed record RecalibrationDocument(
    int Datastream,
    int Calibration,
    double Gain,
    double Offset,
    [property: Description("Observations that the version made.")] long Found,
    [property: Description("Those of them that changed.")] long Corrected);

[Description("User name and password.")]
internal sealed record SessionRequest(string UserName, string Password);

[Description("A bearer token.")]
internal sealed record SessionDocument(
    string TokenType,
    [property: Description("For the header Authorization: Bearer.")] string AccessToken,
    [property: Description("UTC.")] DateTime ExpiresAt);
