using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>copy: every bit of whole quads, by grids of fewer and of more threads than quads.</summary>
internal sealed class CopyCheck(string variant) : KernelCheck(variant, 1e-11)
{
    private protected override void Run(CheckRun run)
    {
        using var kernel = new Kernel<CopyArguments>(run.Device, Variant, 32);
        foreach (var (quads, groups) in new[] { (1, 1u), (333, 3u), (333, 16u) })
        {
            var words = Enumerable.Range(0, 4 * quads).Select(_ => (uint)run.Random.NextInt64(1L << 32)).ToArray();
            run.Arena.Clear();
            var y = run.Arena.AddOutput<uint>("y", new uint[words.Length]);
            var arguments = new CopyArguments { X = run.Arena.Add<uint>("x", words), Y = y, Quads = (uint)quads };
            run.Run($"{quads} quads, {groups} workgroups", recorder => recorder.Dispatch(kernel, arguments, groups));
            run.Compare<uint>("y", [.. words.Select(word => (double)word)], run.Arena.Read<uint>(y, words.Length));
        }
    }
}
