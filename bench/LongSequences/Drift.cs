namespace LongSequences;

/// <summary>How far values are from those they should be.</summary>
internal sealed class Drift
{
    private double _largest;
    private double _worst;
    private bool _finite = true;

    public void Add(double expected, double actual)
    {
        _finite &= double.IsFinite(actual);
        _largest = Math.Max(_largest, Math.Abs(expected));
        _worst = Math.Max(_worst, Math.Abs(actual - expected));
    }

    public void Add(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual)
    {
        for (var i = 0; i < actual.Length; i++)
            Add(expected[i], actual[i]);
    }

    public void Add(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        for (var i = 0; i < actual.Length; i++)
            Add(expected[i], actual[i]);
    }

    /// <summary>max|Δ| / max|expected|.</summary>
    public override string ToString() => _finite ? FormattableString.Invariant($"{_worst / _largest:0.0e0}") : "not finite";
}
