using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>squares: whole pieces and the last one.</summary>
internal sealed class SquaresCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const int Piece = 512;

    private protected override void Run(CheckRun run)
    {
        foreach (var threads in new[] { 8u, 256u })
        {
            using var kernel = new Kernel<SquaresArguments>(run.Device, Variant, threads, Piece);
            foreach (var count in new[] { 1, Piece, (3 * Piece) + 77 })
            {
                var values = run.Values(count);
                var pieces = (count + Piece - 1) / Piece;
                run.Arena.Clear();
                var partials = run.Arena.AddOutput<float>("partials", new float[pieces]);
                var arguments = new SquaresArguments { Values = run.Arena.Add<float>("values", values), Partials = partials, Count = (uint)count };
                run.Run($"{count}", recorder => recorder.Dispatch(kernel, arguments, (uint)pieces));
                run.Compare<float>("partials", [.. values.Chunk(Piece).Select(piece => piece.Sum(value => (double)value * value))], run.Arena.Read<float>(partials, pieces));
            }
        }
    }
}
