using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>The 32 values of one block, as four vectors.</summary>
internal readonly struct BlockValues
{
    public const int Length = 32;

    private readonly Vector256<float> _a, _b, _c, _d;

    private BlockValues(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d) =>
        (_a, _b, _c, _d) = (a, b, c, d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BlockValues Load(ReadOnlySpan<float> block)
    {
        ref float first = ref MemoryMarshal.GetReference(block[..Length]);
        return new(
            Vector256.LoadUnsafe(ref first), Vector256.LoadUnsafe(ref first, 8),
            Vector256.LoadUnsafe(ref first, 16), Vector256.LoadUnsafe(ref first, 24));
    }

    /// <summary>max |x|.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float MaxMagnitude()
    {
        Vector256<float> max = Vector256.Max(
            Vector256.Max(Vector256.Abs(_a), Vector256.Abs(_b)), Vector256.Max(Vector256.Abs(_c), Vector256.Abs(_d)));
        Vector128<float> half = Vector128.Max(max.GetLower(), max.GetUpper());
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(half[0], half[1]);
    }

    /// <summary>The first value of the largest magnitude.</summary>
    /// <param name="block">The values that were loaded.</param>
    public float Extreme(ReadOnlySpan<float> block)
    {
        float magnitude = MaxMagnitude();
        if (magnitude == 0)
            return 0; // ggml starts from +0, which −0 does not exceed.
        int i = 0;
        while (i < Length - 1 && MathF.Abs(block[i]) != magnitude)
            i++;
        return block[i];
    }

    /// <summary>x · factor, rounded half away from zero as C's <c>roundf</c> does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<sbyte> ScaleAndRound(float factor)
    {
        Vector256<float> f = Vector256.Create(factor);
        return Narrow(
            Vector256.ConvertToInt32(RoundAwayFromZero(_a * f)), Vector256.ConvertToInt32(RoundAwayFromZero(_b * f)),
            Vector256.ConvertToInt32(RoundAwayFromZero(_c * f)), Vector256.ConvertToInt32(RoundAwayFromZero(_d * f)));
    }

    /// <summary>x · factor + offset, cut towards zero as a C cast does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<sbyte> ScaleAndTruncate(float factor, float offset)
    {
        Vector256<float> f = Vector256.Create(factor);
        Vector256<float> o = Vector256.Create(offset);
        return Narrow(
            Vector256.ConvertToInt32(_a * f + o), Vector256.ConvertToInt32(_b * f + o),
            Vector256.ConvertToInt32(_c * f + o), Vector256.ConvertToInt32(_d * f + o));
    }

    /// <summary>How many of <paramref name="steps"/> each x · factor reaches.</summary>
    public Vector256<sbyte> ScaleAndCount(float factor, ReadOnlySpan<float> steps)
    {
        Vector256<float> f = Vector256.Create(factor);
        return Narrow(Count(_a * f, steps), Count(_b * f, steps), Count(_c * f, steps), Count(_d * f, steps));
    }

    // A comparison gives −1 where it holds.
    private static Vector256<int> Count(Vector256<float> x, ReadOnlySpan<float> steps)
    {
        Vector256<int> count = Vector256<int>.Zero;
        foreach (float step in steps)
            count -= Vector256.GreaterThanOrEqual(x, Vector256.Create(step)).AsInt32();
        return count;
    }

    // Adding the largest float below one half moves exactly the ties and above over the next integer, which the
    // conversion to int then cuts to; adding one half itself would round 0.49999997 up.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> RoundAwayFromZero(Vector256<float> x) =>
        x + Vector256.CopySign(Vector256.Create(0.49999997f), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Narrow(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d) =>
        Vector256.Narrow(Vector256.Narrow(a, b), Vector256.Narrow(c, d));
}
