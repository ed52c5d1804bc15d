using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>How much a training step keeps: which arrays, of which width and how often.</summary>
/// <param name="Config">The model.</param>
/// <param name="Options">The step.</param>
/// <param name="SubNorm">Whether there is a norm inside the feed-forward network.</param>
/// <param name="AdapterRank">The largest rank of an adapter; 0 without.</param>
internal sealed record StepShape(RetNetConfig Config, TrainingStepOptions Options, bool SubNorm, int AdapterRank)
{
    /// <summary>Tokens.</summary>
    public int Rows => Options.Rows;

    /// <summary>Columns of each array that there is.</summary>
    public IReadOnlyDictionary<StepArray, int> Widths { get; } = new Dictionary<StepArray, int>
    {
        [StepArray.Stream] = Config.Width,
        [StepArray.Projections] = ProjectionWidth(Config),
        [StepArray.HeadOutputs] = Config.OutputWidth,
        [StepArray.Units] = UnitWidth(Config),
        [StepArray.ScoreSums] = Options.TorchscaleClamp ? Config.Heads : 0,
        [StepArray.Input] = Config.Width,
        [StepArray.InputGradient] = Config.Width,
        [StepArray.StreamGradient] = Config.Width,
        [StepArray.Gated] = Config.OutputWidth,
        [StepArray.GatedGradient] = Config.OutputWidth,
        [StepArray.ProjectionGradients] = ProjectionWidth(Config),
        [StepArray.HeadGradients] = TrainingRetention.HeadGradientWidth(Config),
        [StepArray.Hidden] = Config.FeedForwardSize,
        [StepArray.HiddenGradient] = Config.FeedForwardSize,
        [StepArray.NormedHidden] = SubNorm ? Config.FeedForwardSize : 0,
        [StepArray.NormedHiddenGradient] = SubNorm ? Config.FeedForwardSize : 0,
        [StepArray.AdapterInner] = AdapterRank,
    }.Where(width => width.Value > 0).ToDictionary();

    /// <summary>Columns of the widest array.</summary>
    public int MostColumns => Widths.Values.Max();

    /// <summary>Floats of the states that chunks begin with; 0 in the parallel form.</summary>
    public long ChunkStateFloats => Options.LengthOfChunks < Options.Length ? TrainingRetention.StateFloats(Config, Options.Chunks) : 0;

    /// <summary>How often there is an array.</summary>
    public int Copies(StepArray array, bool recompute) => array switch
    {
        StepArray.Stream => recompute ? Config.Layers + 2 : 2 * Config.Layers + 1,
        StepArray.Projections or StepArray.HeadOutputs or StepArray.Units or StepArray.ScoreSums => recompute ? 1 : Config.Layers,
        _ => 1,
    };

    /// <summary>What it takes of the device's memory.</summary>
    public MemoryPlan Plan(bool recompute)
    {
        var (kept, others) = (0UL, 0UL);
        foreach (var (array, width) in Widths)
        {
            var copies = Copies(array, recompute);
            var bytes = (ulong)Rows * (ulong)WeightStore.PaddedLength(width) * sizeof(float) * (ulong)copies;
            (kept, others) = copies > 1 ? (kept + bytes, others) : (kept, others + bytes);
        }

        var plan = new MemoryPlan().Add("kept for gradients", kept).Add("activations and their gradients", others);
        return ChunkStateFloats > 0 ? plan.Add("states of chunks", (ulong)ChunkStateFloats * sizeof(float)) : plan;
    }

    private static int ProjectionWidth(RetNetConfig config) => config.QueryWidth + config.KeyWidth + config.ValueWidth + (config.OutputGate ? config.OutputWidth : 0);

    private static int UnitWidth(RetNetConfig config) => (config.GatedFeedForward ? 2 : 1) * config.FeedForwardSize;
}
