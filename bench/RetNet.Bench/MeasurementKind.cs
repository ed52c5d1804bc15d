namespace RetNet.Bench;

/// <summary>What was measured.</summary>
public enum MeasurementKind
{
    /// <summary>One token after another, each from the one before.</summary>
    Decode,

    /// <summary>Many known tokens at once.</summary>
    Prefill,
}
