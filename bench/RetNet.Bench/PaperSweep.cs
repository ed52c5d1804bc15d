using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;

namespace RetNet.Bench;

/// <summary>
/// The points of the paper's figure on the cost of inference (arXiv 2307.08621, §3.4): decoding against the length of the context, and
/// against the batch at one length.
/// </summary>
public sealed record PaperSweep
{
    /// <summary>The length that the paper compares batches at.</summary>
    private const int PaperContext = 8192;

    /// <summary>Tokens taken in before.</summary>
    public required IReadOnlyList<int> Contexts { get; init; }

    /// <summary>Sequences at once, at each of the contexts.</summary>
    public required IReadOnlyList<int> Batches { get; init; }

    /// <summary>Sequences at once, at <see cref="BatchContext"/>.</summary>
    public required IReadOnlyList<int> BatchSizes { get; init; }

    /// <summary>8192 tokens where the contexts have that, else the longest of them.</summary>
    public int BatchContext => Contexts.Contains(PaperContext) ? PaperContext : Contexts.Max();

    /// <summary>Every point once.</summary>
    public IReadOnlyList<(int Batch, int Context)> Points =>
    [
        .. Batches.SelectMany(batch => Contexts.Select(context => (batch, context))).Concat(BatchSizes.Select(batch => (batch, BatchContext))).Distinct(),
    ];

    /// <summary>The paper's lengths, up to 64k, on a GPU; on a processor as much as ends within a minute or two.</summary>
    public static PaperSweep For(DeviceKind kind) => kind == DeviceKind.Cpu
        ? new() { Contexts = Doubling(256, 2048), Batches = [1], BatchSizes = Doubling(1, 8) }
        : new() { Contexts = Doubling(1024, 65536), Batches = [1, 8], BatchSizes = Doubling(1, RecurrentBatch.MostSequences) };

    /// <summary>The shape that is measured unless another one is asked for.</summary>
    public static string ShapeFor(DeviceKind kind) => kind == DeviceKind.Cpu ? "tiny" : "6.7b";

    private static int[] Doubling(int first, int last)
    {
        var values = new List<int>();
        for (var value = first; value <= last; value *= 2)
            values.Add(value);
        return [.. values];
    }
}
