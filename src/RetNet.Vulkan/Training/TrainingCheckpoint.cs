using System.Runtime.InteropServices;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>
/// A checkpoint's two files: <c>model.gguf</c>, the weights in f32 with tokenizer and settings, a model like any other, and
/// <c>state.gguf</c>, all else that a run needs to go on (docs/training.md).
/// </summary>
public sealed unsafe class TrainingCheckpoint : IDisposable
{
    private const string Model = "model.gguf";
    private const string StateFile = "state.gguf";
    private const string Architecture = "retnet-training";
    private const string History = "history";
    private const int HistoryColumns = 8;

    private readonly string _folder;
    private readonly GgufFile _state;

    private TrainingCheckpoint(string folder)
    {
        _folder = folder;
        _state = GgufFile.Open(Path.Combine(folder, StateFile));
        try
        {
            if (_state.GetString(Keys.Architecture) != Architecture)
                throw new GgufException(_state.Path, "is no training state");
            State = ReadState();
            Settings = ReadSettings();
            RequireItsModel();
        }
        catch
        {
            _state.Dispose();
            throw;
        }
    }

    /// <summary>The model's file.</summary>
    public string ModelPath => ModelIn(_folder);

    /// <summary>Where the run stands.</summary>
    public TrainingState State { get; }

    /// <summary>What the run is.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; }

    /// <summary>The model's file in a checkpoint's folder.</summary>
    public static string ModelIn(string folder) => Path.Combine(folder, Model);

    /// <summary>Opens a checkpoint.</summary>
    /// <exception cref="TrainingException">A file is missing, damaged or of another checkpoint.</exception>
    public static TrainingCheckpoint Open(string folder)
    {
        try
        {
            return new(folder);
        }
        catch (GgufException e)
        {
            throw new TrainingException($"{e.Message}; delete {folder} to go on from the checkpoint before it", e);
        }
    }

    /// <summary>Writes both files into an empty folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="model">What is trained.</param>
    /// <param name="data">Fingerprint of what it is trained on.</param>
    /// <param name="run">What the run is.</param>
    /// <param name="state">Where it stands.</param>
    /// <exception cref="GgufException">A file cannot be written.</exception>
    public static void Write(string folder, ITrainable model, string data, TrainingRun run, TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(state);
        var path = ModelIn(folder);
        WriteModel(path, model, run);
        using var written = GgufFile.Open(path);
        WriteState(Path.Combine(folder, StateFile), model, data, written.Fingerprint(), run, state);
    }

    /// <summary>Gives a model the state that this checkpoint holds; its weights are those of <see cref="ModelPath"/> already.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">What it is to be trained on.</param>
    /// <exception cref="TrainingException">The run is of another text or another model.</exception>
    public void Restore(ITrainable model, TrainingData data)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        if (_state.GetString(Keys.Data) != data.Fingerprint)
            throw new TrainingException($"{_folder}: the run was begun with another text, another division of it or another tokenizer; go on with the same, or begin another run in another folder");
        foreach (var shape in model.State)
            if (!_state.TryGetTensor(shape.Name, out var tensor) || !tensor.Dimensions.SequenceEqual(shape.Dimensions))
                throw new TrainingException($"{_folder}: the run is of another model or another optimiser: its state has {(tensor is null ? "no" : "another")} '{shape.Name}'");
        foreach (var shape in model.State)
            model.WriteState(shape.Name, Values(_state.GetTensor(shape.Name)));
        model.Updates = Read<long>(Keys.Updates);
    }

    /// <inheritdoc/>
    public void Dispose() => _state.Dispose();

    private static void WriteModel(string path, ITrainable model, TrainingRun run)
    {
        using var writer = GgufWriter.Create(path);
        RetNetGguf.WriteConfig(writer, model.Config);
        writer.Add("general.file_type", 0u);
        foreach (var (key, value) in run.Metadata)
            writer.AddValue(key, value);
        WriteTensors(writer, model.Weights, model.ReadWeight);
        writer.Complete();
    }

    private static void WriteState(string path, ITrainable model, string data, string fingerprint, TrainingRun run, TrainingState state)
    {
        using var writer = GgufWriter.Create(path);
        writer.Add(Keys.Architecture, Architecture);
        writer.AddValue(Keys.Step, (long)state.Step);
        writer.AddValue(Keys.Updates, model.Updates);
        writer.AddValue(Keys.LossScale, state.LossScale.Value);
        writer.AddValue(Keys.GoodSteps, (long)state.LossScale.GoodSteps);
        writer.Add(Keys.Dynamic, state.LossScale.Dynamic);
        writer.AddValue(Keys.Seconds, state.Seconds);
        writer.Add(Keys.Data, data);
        writer.Add(Keys.Model, fingerprint);
        writer.Add(Keys.Names, [.. run.Settings.Keys]);
        writer.Add(Keys.Values, [.. run.Settings.Values]);
        WriteTensors(writer, [new(History, [HistoryColumns, Math.Max(state.History.Count, 1)], Required: true), .. model.State],
            name => name == History ? [.. state.History.DefaultIfEmpty().SelectMany(Columns)] : model.ReadState(name));
        writer.Complete();
    }

    private static void WriteTensors(GgufWriter writer, IReadOnlyList<TensorShape> shapes, Func<string, float[]> read)
    {
        var tensors = shapes.Select(shape => writer.AddTensor(shape.Name, BlockType.Of(GgmlType.F32), shape.Dimensions)).ToList();
        foreach (var tensor in tensors)
            WriteValues(writer, tensor, read(tensor.Name));
    }

    /// <summary>In pieces, since a tensor may have more bytes than a span.</summary>
    private static void WriteValues(GgufWriter writer, GgufTensor tensor, float[] values)
    {
        const int piece = 1 << 24;
        for (var start = 0; start < values.Length; start += piece)
            writer.Write(tensor, MemoryMarshal.AsBytes(values.AsSpan(start, Math.Min(piece, values.Length - start))));
    }

    private void RequireItsModel()
    {
        using var model = GgufFile.Open(ModelPath);
        if (model.Fingerprint() != _state.GetString(Keys.Model))
            throw new GgufException(model.Path, $"is not the model that {StateFile} beside it belongs to");
    }

    private TrainingState ReadState()
    {
        var step = Read<long>(Keys.Step);
        if (step is < 0 or > int.MaxValue)
            throw new GgufException(_state.Path, $"metadata '{Keys.Step}' is {step}; the file is damaged");
        var history = _state.GetTensor(History);
        if (history.RowLength != HistoryColumns)
            throw new GgufException(_state.Path, $"tensor '{History}' has the shape {history.Shape}; the file is damaged");
        return new TrainingState
        {
            Step = (int)step,
            LossScale = new(Read<double>(Keys.LossScale), (int)Read<long>(Keys.GoodSteps), _state.GetBool(Keys.Dynamic)),
            Seconds = Read<double>(Keys.Seconds),
            History = [.. Values(history).Chunk(HistoryColumns).Select(row => new TrainingRow((int)row[0], row[1], row[2], row[3], row[4], row[5], (int)row[6], row[7]))],
        };
    }

    private Dictionary<string, string> ReadSettings()
    {
        var (names, values) = (_state.GetArray<string>(Keys.Names), _state.GetArray<string>(Keys.Values));
        if (names.Count != values.Count || names.Distinct().Count() != names.Count)
            throw new GgufException(_state.Path, "its settings have no values of their own; the file is damaged");
        return names.Zip(values).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
    }

    private float[] Values(GgufTensor tensor)
    {
        if (tensor.Type.Type != GgmlType.F32)
            throw new TrainingException($"{_state.Path}: tensor '{tensor.Name}' is of type {tensor.Type}, a state is f32; the file is damaged");
        var values = new float[tensor.Elements];
        fixed (float* target = values)
            Buffer.MemoryCopy(_state.Pointer(tensor), target, tensor.Bytes, tensor.Bytes);
        return values;
    }

    private T Read<T>(string key)
        where T : notnull =>
        _state.TryGet(key, out T? value) ? value : throw new GgufException(_state.Path, $"has no metadata '{key}'; the file is damaged");

    private static IEnumerable<float> Columns(TrainingRow row) =>
        [row.Step, row.Loss, row.ValidationLoss, row.LearningRate, row.GradientNorm, row.LossScale, row.Tokens, row.Seconds];

    private static class Keys
    {
        public const string Architecture = "general.architecture";
        public const string Step = "training.step";
        public const string Updates = "training.updates";
        public const string LossScale = "training.loss_scale";
        public const string GoodSteps = "training.loss_scale.good_steps";
        public const string Dynamic = "training.loss_scale.dynamic";
        public const string Seconds = "training.seconds";
        public const string Data = "training.data";
        public const string Model = "training.model";
        public const string Names = "training.settings.names";
        public const string Values = "training.settings.values";
    }
}
