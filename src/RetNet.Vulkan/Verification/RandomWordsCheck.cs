using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>random_words: rows alone and interleaved, with whole parts, half words and whole quads of padding.</summary>
internal sealed class RandomWordsCheck(string variant) : KernelCheck(variant, 1e-11)
{
    private const uint Rows = 24;

    private protected override void Run(CheckRun run)
    {
        using var kernel = new Kernel<RandomWordsArguments>(run.Device, Variant, 32);
        foreach (var interleave in new[] { 1u, 8u })
            foreach (var (rowParts, partWords, rowHalves) in new[] { (5u, 4u, 40u), (8u, 4u, 37u), (3u, 1u, 5u) })
                Run(run, kernel, new()
                {
                    Count = Rows * rowParts * partWords,
                    RowParts = rowParts,
                    RowHalves = rowHalves,
                    PartWords = partWords,
                    Interleave = interleave,
                    Mask = RandomFormat.F16(-5).Mask,
                    Pattern = RandomFormat.F16(-5).Pattern,
                    Seed = 0xDEAD_BEEF,
                });
    }

    private static void Run(CheckRun run, Kernel<RandomWordsArguments> kernel, RandomWordsArguments arguments)
    {
        run.Arena.Clear();
        arguments.Words = run.Arena.AddOutput<uint>("words", new uint[arguments.Count]);
        var name = $"{arguments.RowHalves} halves in {arguments.RowParts} parts of {arguments.PartWords}, interleave {arguments.Interleave}";
        run.Run(name, recorder => recorder.Dispatch(kernel, arguments, 2));

        var expected = new double[arguments.Count];
        for (var i = 0u; i < arguments.Count; i++)
        {
            var word = i / (arguments.PartWords * arguments.Interleave) % arguments.RowParts * arguments.PartWords + i % arguments.PartWords;
            var random = Hash(i ^ arguments.Seed) & arguments.Mask | arguments.Pattern;
            expected[i] = (arguments.RowHalves - Math.Min(2 * word, arguments.RowHalves)) switch { 0 => 0, 1 => random & 0xFFFF, _ => random };
        }

        run.Compare<uint>("words", expected, run.Arena.Read<uint>(arguments.Words, expected.Length));
    }

    /// <summary>PCG's RXS-M-XS 32.</summary>
    private static uint Hash(uint i)
    {
        var state = unchecked(i * 747796405u + 2891336453u);
        var word = unchecked(((state >> (int)((state >> 28) + 4)) ^ state) * 277803737u);
        return (word >> 22) ^ word;
    }
}
