using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Both ends of a step that decodes sequences, whatever their network: each one's token goes in by its embedding, and the one
/// sampled from its logits is what the next step begins with. So it also has the sequences' tokens, and where they are.
/// </summary>
internal sealed class StepEnds : IDisposable
{
    private readonly RetNetModel _model;
    private readonly Activations _activations;
    private readonly int _sequences;
    private readonly Kernel<EmbeddingArguments> _embedding;
    private readonly Kernel<SampleArguments> _sample;

    /// <param name="model">The model.</param>
    /// <param name="activations">What the step takes the tokens through, a row a sequence.</param>
    public StepEnds(RetNetModel model, Activations activations)
    {
        (_model, _activations, _sequences) = (model, activations, activations.Rows);
        var device = model.Device;
        Log = new TokenLog(device, _sequences);
        Table = new SequenceTable(device, _sequences);
        _embedding = KernelFactory.Embedding(device, model.Embedding.Type, model.Embedding.Interleave);
        _sample = KernelFactory.Sample(device, Tuning.For(device.Capabilities));
    }

    /// <summary>The sequences' tokens.</summary>
    public TokenLog Log { get; }

    /// <summary>Where the sequences are and how they sample.</summary>
    public SequenceTable Table { get; }

    /// <summary>Bytes of memory that it takes.</summary>
    public static ulong BytesOf(int sequences) => TokenLog.BytesOf(sequences) + SequenceTable.BytesOf(sequences);

    /// <summary>Each sequence's token at its position into the residual stream.</summary>
    public void RecordEmbedding(Recorder recorder) => recorder.Dispatch(_embedding, new EmbeddingArguments
    {
        Weights = _model.Embedding.Weights,
        Scales = _model.Embedding.Scales,
        Tokens = Log.Address,
        Positions = Table.Positions,
        StepsLeft = Table.StepsLeft,
        X = _activations.Residual,
        Runs = (uint)_model.Embedding.Runs,
        Vectors = (uint)_activations.WidthStride / 4,
        LogMask = TokenLog.Mask,
        Scale = _model.Config.EmbeddingScale,
    }, (uint)_sequences);

    /// <summary>Each sequence's next token from its logits.</summary>
    public void RecordSample(Recorder recorder) => recorder.Dispatch(_sample, new SampleArguments
    {
        Logits = _activations.Logits,
        Tokens = Log.Address,
        Positions = Table.Positions,
        StepsLeft = Table.StepsLeft,
        Samplers = Table.Samplers,
        Vocabulary = (uint)_model.Config.VocabularySize,
        LogMask = TokenLog.Mask,
    }, (uint)_sequences);

    public void Dispose()
    {
        _sample.Dispose();
        _embedding.Dispose();
        Table.Dispose();
        Log.Dispose();
    }
}
