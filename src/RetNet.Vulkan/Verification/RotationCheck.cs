using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>rotate: queries and keys of grouped heads, at positions up to the millions, there and back.</summary>
internal sealed class RotationCheck(string variant) : KernelCheck(variant, 1e-6)
{
    /// <summary>What f16 results are off more than f32 ones.</summary>
    private const double HalfSlack = 600;

    private const int Heads = 4;
    private const int KeyHeads = 2;

    private protected override void Run(CheckRun run)
    {
        foreach (var (keySize, threads, inverse) in new[] { (2, 32u, false), (10, 256u, false), (64, 32u, false), (10, 32u, true) })
        {
            using var kernel = new Kernel<RotateArguments>(run.Device, Variant, threads, (uint)keySize, Constant.Of(inverse));
            Run(run, kernel, keySize, inverse);
        }
    }

    private bool IsHalf => Variant.EndsWith("_f16", StringComparison.Ordinal);

    private void Run(CheckRun run, Kernel<RotateArguments> kernel, int keySize, bool inverse)
    {
        uint[] positions = [1, 2, 71, 4097, 100_000, 12_345_678];
        var (queries, keys) = (Heads * keySize, KeyHeads * keySize);
        var stride = queries + keys + 6;
        var before = run.Values(positions.Length * stride).Select(value => IsHalf ? (float)(Half)value : value).ToArray();
        var angles = CheckDecay.Angles(keySize);
        run.Arena.Clear();
        var x = IsHalf ? run.Arena.AddOutput<Half>("x", [.. before.Select(value => (Half)value)]) : run.Arena.AddOutput<float>("x", before);
        var arguments = new RotateArguments
        {
            X = x,
            Angles = run.Arena.Add<ulong>("angles", RetNetModel.AngleTable(angles)),
            Positions = run.Arena.Add<uint>("positions", positions),
            Stride = (uint)stride,
            QueryPairs = (uint)queries / 2,
            Pairs = (uint)(queries + keys) / 2,
            KeyScale = 1 / MathF.Sqrt(keySize),
        };
        run.Run($"dk {keySize}{(inverse ? ", back" : "")}", recorder => recorder.Dispatch(kernel, arguments, (uint)positions.Length));

        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < positions.Length; row++)
        {
            Rotate(expected.AsSpan(row * stride, queries), Heads, 1);
            Rotate(expected.AsSpan(row * stride + queries, keys), KeyHeads, 1 / Math.Sqrt(keySize));

            void Rotate(Span<double> part, int heads, double scale) => Rotation.Apply(part.ToArray(), heads, inverse ? [.. angles.Select(theta => -theta)] : angles, positions[row] - 1, scale).CopyTo(part);
        }

        if (IsHalf)
            run.Compare<Half>("x", expected, run.Arena.Read<Half>(x, before.Length), HalfSlack);
        else
            run.Compare<float>("x", expected, run.Arena.Read<float>(x, before.Length));
    }
}
