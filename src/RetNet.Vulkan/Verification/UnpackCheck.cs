using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>unpack_*: weights of a type to the f16 next to them.</summary>
internal sealed class UnpackCheck(string variant, BlockType type) : KernelCheck(variant, 5e-4)
{
    private const int Rows = 5;

    private protected override void Run(CheckRun run)
    {
        using var kernel = new Kernel<UnpackArguments>(run.Device, Variant, 32);
        foreach (var columns in new[] { 64, 224, 960 })
        {
            var matrix = CheckMatrix.Create(type, new RowLayout(Rows, 1, 1), columns, run);
            var stride = WeightStore.PaddedLength(columns);
            run.Arena.Clear();
            var unpacked = run.Arena.AddOutput<Half>("unpacked", new Half[Rows * stride]);
            var arguments = new UnpackArguments
            {
                Weights = run.Arena.Add<byte>("weights", matrix.Quads),
                Scales = run.Arena.Add<byte>("scales", matrix.Scales),
                Unpacked = unpacked,
                Runs = (uint)DeviceMatrix.RunsOf(type.Type, columns),
            };
            run.Run($"{columns} columns", recorder => recorder.Dispatch(kernel, arguments, Rows));
            var expected = new double[Rows * stride];
            for (var i = 0; i < expected.Length; i++)
                expected[i] = i % stride < columns ? matrix.Values[i / stride][i % stride] : 0;
            run.Compare<Half>("unpacked", expected, run.Arena.Read<Half>(unpacked, expected.Length));
        }
    }
}
