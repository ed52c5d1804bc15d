using System.Numerics;

namespace RetNet.Tests;

internal static class Tolerance
{
    /// <summary>Requires max |Δ| ≤ <paramref name="relative"/> · max |expected| and every value finite; returns max |Δ| / max |expected|.</summary>
    public static double Near<TExpected, TActual>(TExpected[] expected, TActual[] actual, double relative)
        where TExpected : INumberBase<TExpected>
        where TActual : INumberBase<TActual>
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0, worst = 0;
        var at = -1;
        for (var i = 0; i < expected.Length; i++)
        {
            var (e, a) = (double.CreateChecked(expected[i]), double.CreateChecked(actual[i]));
            Assert.True(double.IsFinite(a), $"value {i} of {actual.Length} is {a}, expected {e}");
            largest = Math.Max(largest, Math.Abs(e));
            if (Math.Abs(a - e) > worst)
                (worst, at) = (Math.Abs(a - e), i);
        }

        Assert.True(worst <= relative * largest, $"|Δ| = {worst:g3} at {at} of {actual.Length}: {worst / largest:g3} of the largest value, allowed {relative:g3}");
        return worst / largest;
    }
}
