using System.Diagnostics;
using System.Globalization;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// A whole model on a device: the recurrent form against the oracle in double precision, the chunkwise and the parallel form
/// against the recurrent one, logits after every token and the states after the last; and sequences that are decoded together against one alone.
/// </summary>
public sealed class ModelVerification
{
    /// <summary>Tokens that go in: more than a chunk of any length that is tried.</summary>
    public const int Tokens = 70;

    /// <summary>The largest max|Δ| / max|logit| allowed.</summary>
    public const double Tolerance = 1e-5;

    /// <summary>The same where products round their inputs to f16.</summary>
    public const double HalfTolerance = 3e-3;

    private const int Seed = 11;

    /// <summary>Tokens of sequences that go in together, and how many steps after the first one another may begin.</summary>
    private const int BatchTokens = 12, MostDelay = 5;

    /// <summary>Chunk lengths; null is the parallel form.</summary>
    private static readonly int?[] ChunkLengths = [1, 16, 64, null];

    /// <summary>Sequences together; a GPU has other kernels for each of these numbers, or other sizes of them (docs/kernels.md).</summary>
    private static readonly int[] BatchSizes = [2, 8, 16, 32, 64];

    private readonly RetNetModel _model;
    private readonly GgufFile _file;
    private readonly int[] _tokens;
    private readonly float[] _logits;
    private readonly float[][] _states;

    /// <summary>Runs the recurrent form, which the others are compared with.</summary>
    /// <param name="model">The model on its device.</param>
    /// <param name="file">The file that it is of, for the oracle.</param>
    public ModelVerification(RetNetModel model, GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(file);
        (_model, _file) = (model, file);
        var random = new Random(Seed);
        _tokens = [.. Enumerable.Range(0, Tokens).Select(_ => random.Next(model.Config.VocabularySize))];
        using var session = new RecurrentSession(model);
        _logits = [.. session.Logits(_tokens).SelectMany(row => row)];
        _states = States(session.State);
    }

    /// <summary>Adds what it takes of the device's memory to a plan: the forms run one after the other.</summary>
    public static MemoryPlan Plan(GpuDevice device, RetNetConfig config) =>
        ChunkLengths.Select(length => SequenceBatch.Plan(config, 1, Options(length))).Append(RecurrentSession.Plan(device, config)).MaxBy(plan => plan.Bytes)!;

    /// <summary>The recurrent form against the oracle, for as many tokens as the time allows; how many is said in the result.</summary>
    /// <param name="time">How long the oracle may take; it always takes at least one token.</param>
    /// <param name="cancel">Ends it early.</param>
    public CheckResult AgainstOracle(TimeSpan time, CancellationToken cancel = default)
    {
        var result = new CheckResult { Name = "recurrent", Against = "oracle", Allowed = Tolerance };
        var bytes = _file.Tensors.Values.Sum(tensor => (double)tensor.Elements * sizeof(float));
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > available / 2.0)
            return result with { Note = $"not compared: the oracle takes {MemoryPlan.Size((ulong)bytes)} of memory, more than half of what is there" };

        var clock = Stopwatch.StartNew();
        var oracle = ReferenceModel.Load(_file);
        var state = new ReferenceState(oracle.Config);
        var expected = new List<double>();
        var count = 0;
        do
        {
            cancel.ThrowIfCancellationRequested();
            expected.AddRange(oracle.Recurrent([_tokens[count++]], state));
        }
        while (count < Tokens && clock.Elapsed < time);
        var note = count == Tokens ? null : string.Create(CultureInfo.InvariantCulture, $"{count} of {Tokens} tokens: the oracle's {time.TotalSeconds:0} s were over");
        return Judge(result with { Note = note, Cases = count }, Deviation.Of<double, float>(expected.ToArray(), _logits.AsSpan(0, expected.Count)));
    }

    /// <summary>The other forms against the recurrent one, one after the other.</summary>
    public IEnumerable<CheckResult> Forms() => ChunkLengths.Select(AgainstRecurrent);

    /// <summary>Sequences that are decoded together against one alone, a number of them after the other; the result says where there is no memory for them.</summary>
    public IEnumerable<CheckResult> Batches() => BatchSizes.Select(Together);

    private static SequenceOptions Options(int? chunkLength) => new() { ChunkLength = chunkLength, PassLength = Tokens };

    private CheckResult AgainstRecurrent(int? chunkLength)
    {
        using var batch = new SequenceBatch(_model, 1, Options(chunkLength));
        var logits = new List<float>();
        batch.Feed([_tokens], (_, _, values) => logits.AddRange(values));
        var states = States(batch.State);
        var worst = _states.Select((state, layer) => Deviation.Of<float, float>(state, states[layer]))
            .Append(Deviation.Of<float, float>(_logits, logits.ToArray())).MaxBy(deviation => deviation.Error);
        var name = chunkLength is { } length ? string.Create(CultureInfo.InvariantCulture, $"chunkwise, chunks of {length}") : "parallel";
        return Judge(new CheckResult { Name = name, Against = "recurrent", Allowed = Tolerance, Cases = Tokens }, worst);
    }

    /// <summary>All have the same tokens, but begin one after the other, so that each step has them at different positions and some not at all.</summary>
    private CheckResult Together(int sequences)
    {
        var (device, vocabulary) = (_model.Device, _model.Config.VocabularySize);
        var precision = Tuning.ProductsOfSequences(_model, sequences).Precision;
        var result = new CheckResult
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"recurrent, {sequences} sequences"),
            Against = "recurrent",
            Allowed = precision == ProductPrecision.F16 ? HalfTolerance : Tolerance,
        };
        var plan = new MemoryPlan().Add("states", (ulong)sequences * RetentionState.BytesOf(_model.Config, StateType.F32)).Add("decoding", RecurrentStep.BytesOf(device, _model.Config, sequences));
        if (plan.Bytes > device.AvailableBytes)
            return result with { Note = $"not compared: needs {plan} of the device's memory, which has {MemoryPlan.Size(device.AvailableBytes)} left" };

        using var state = new RetentionState(device, _model.Config, StateType.F32, sequences);
        state.Clear();
        using var step = new RecurrentStep(_model, state);
        using var read = device.Allocate("logits", (ulong)sequences * (ulong)vocabulary * sizeof(float), MemoryPlacement.Readback);
        using var recording = device.Record("logits step of sequences", recorder =>
        {
            step.RecordLayers(recorder);
            step.RecordLogits(recorder);
            step.CopyLogits(recorder, read);
        });
        var worst = default(Deviation);
        for (var n = 0; n < BatchTokens + MostDelay; n++)
        {
            int At(int sequence) => n - sequence % (MostDelay + 1);
            bool IsLive(int sequence) => At(sequence) is >= 0 and < BatchTokens;
            for (var sequence = 0; sequence < sequences; sequence++)
            {
                var position = Math.Clamp(At(sequence), 0, BatchTokens);
                step.Log[sequence, position] = _tokens[position];
                step.Table.Set(sequence, position, IsLive(sequence) ? 1u : 0, SamplerEntry.Of(SamplerOptions.Greedy));
            }

            step.Table.Upload(Enumerable.Range(0, sequences));
            device.Wait(device.Submit(recording));
            for (var sequence = 0; sequence < sequences; sequence++)
                if (IsLive(sequence))
                {
                    var deviation = Deviation.Of<float, float>(_logits.AsSpan(At(sequence) * vocabulary, vocabulary), read.AsSpan<float>().Slice(sequence * vocabulary, vocabulary));
                    worst = deviation.Error > worst.Error ? deviation : worst;
                }
        }

        return Judge(result with { Cases = sequences * BatchTokens }, worst);
    }

    private static CheckResult Judge(CheckResult result, Deviation deviation) => result with
    {
        Error = deviation.Error,
        Problem = deviation.Error <= result.Allowed ? null : string.Create(CultureInfo.InvariantCulture, $"{deviation.Error:0.0e+0} from the {result.Against}"),
    };

    private float[][] States(RetentionState state) => [.. Enumerable.Range(0, _model.Config.Layers).Select(layer => state.Read(layer))];
}
