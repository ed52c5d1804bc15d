using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>round: f32 to the nearest f16, and what is beyond it to its largest.</summary>
internal sealed class RoundCheck(string variant) : KernelCheck(variant, 5e-4)
{
    private const int Rows = 3;

    private protected override void Run(CheckRun run)
    {
        using var kernel = new Kernel<RoundArguments>(run.Device, Variant, 32);
        foreach (var (columns, scale) in new[] { (64, 1f), (192, 7e4f) })
        {
            var x = run.Values(Rows * columns).Select(value => value * scale).ToArray();
            run.Arena.Clear();
            var y = run.Arena.AddOutput<Half>("y", new Half[x.Length]);
            var arguments = new RoundArguments { X = run.Arena.Add<float>("x", x), Y = y, Quads = (uint)columns / 4 };
            run.Run($"{Rows} × {columns}, up to {scale}", recorder => recorder.Dispatch(kernel, arguments, Rows));
            run.Compare<Half>("y", [.. x.Select(value => Math.Clamp((double)value, -65504, 65504))], run.Arena.Read<Half>(y, x.Length));
        }
    }
}
