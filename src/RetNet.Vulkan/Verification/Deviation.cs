using System.Numerics;

namespace RetNet.Vulkan.Verification;

/// <summary>How far results are from their references.</summary>
/// <param name="Error">max|Δ| / max|reference|; infinite where a result is not finite.</param>
/// <param name="At">Where the difference is largest.</param>
internal readonly record struct Deviation(double Error, int At)
{
    public static Deviation Of<TReference, TResult>(ReadOnlySpan<TReference> reference, ReadOnlySpan<TResult> result)
        where TReference : INumberBase<TReference>
        where TResult : INumberBase<TResult>
    {
        double largest = 0, worst = 0;
        var at = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            var expected = double.CreateChecked(reference[i]);
            largest = Math.Max(largest, Math.Abs(expected));
            var difference = Math.Abs(double.CreateChecked(result[i]) - expected);
            // NaN is no less wrong than any difference.
            if (!(difference <= worst))
                (worst, at) = (double.IsNaN(difference) ? double.PositiveInfinity : difference, i);
        }

        return new(worst == 0 ? 0 : worst / largest, at);
    }
}
