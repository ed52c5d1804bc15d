using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>
/// What one framework's checkpoints call their settings and tensors, and what they leave unsaid. A dialect gives canonical
/// settings and, for each canonical module, the checkpoint's; names, shapes and left-overs are checked here for all of them.
/// </summary>
public abstract class Dialect
{
    private const int MostLayers = 1 << 12;
    private const int MostHeads = 1 << 12;
    private const int WidestRow = 1 << 20;
    private const int LargestVocabulary = 1 << 24;

    private readonly Checkpoint _checkpoint;
    private readonly Dictionary<string, CheckpointTensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];

    private protected Dialect(Checkpoint checkpoint, string embedding)
    {
        _checkpoint = checkpoint;
        Embedding = embedding;
    }

    /// <summary>The framework, as its users call it.</summary>
    public abstract string Name { get; }

    /// <summary>config.json, or what stands for it.</summary>
    private protected JsonFile Settings => _checkpoint.Config;

    /// <summary>The embedding module.</summary>
    private protected string Embedding { get; }

    /// <summary>The output projection, whether or not it is there.</summary>
    private protected abstract string Output { get; }

    /// <summary>Key of the setting that makes embedding and output projection one matrix.</summary>
    private protected abstract string TiedKey { get; }

    private protected bool IsTied => Settings.GetBoolean(TiedKey, false);

    /// <summary>The dialect of <paramref name="checkpoint"/>, by its settings and tensors.</summary>
    /// <exception cref="ConverterException">It is of none that is known.</exception>
    public static Dialect Of(Checkpoint checkpoint)
    {
        RequireRetNet(checkpoint.Config);
        ICollection<string> names = [.. checkpoint.Tensors.Keys];
        if (names.Any(name => Ends(name, "model.embeddings.weight")))
            return new FlashLinearAttentionDialect(checkpoint);
        if (!names.Any(name => Ends(name, "embed_tokens.weight")))
            throw new ConverterException(checkpoint.Path, "holds no RetNet of a known dialect: neither 'embed_tokens.weight' (torchscale, syncdoth/RetNet) nor 'model.embeddings.weight' (flash-linear-attention) is there");
        bool isInModel = names.Any(name => Ends(name, "model.embed_tokens.weight"));
        if (isInModel && (names.Any(name => Ends(name, "lm_head.weight")) || checkpoint.Config.GetString("model_type", "") is "retnet" or "nucleus_x"))
            return new SyncdothDialect(checkpoint);
        return names.Any(name => Ends(name, "retention_layer_norm.bias")) ? new OldTorchscaleDialect(checkpoint) : new TorchscaleDialect(checkpoint);
    }

    /// <summary>Maps names and settings of <paramref name="checkpoint"/> to canonical ones and checks every shape.</summary>
    /// <exception cref="ConverterException">It is of no known dialect, cannot be represented, lacks a tensor or has one too many.</exception>
    public static CanonicalModel Read(Checkpoint checkpoint) => Of(checkpoint).Read();

    /// <summary>Maps names and settings to canonical ones and checks every shape.</summary>
    /// <exception cref="ConverterException">The checkpoint cannot be represented, lacks a tensor or has one too many.</exception>
    public CanonicalModel Read()
    {
        string prefix = FindPrefix();
        foreach (CheckpointTensor tensor in _checkpoint.Tensors.Values)
            AddTensor(tensor, prefix);
        RefuseSettings();
        RetNetConfig config = ReadConfig();
        Dictionary<string, SourceModule> modules = Modules(config).ToDictionary(pair => pair.Canonical, pair => pair.Source, StringComparer.Ordinal);
        var tensors = new List<CanonicalTensor>();
        foreach (TensorShape shape in TensorShapes.Of(config))
        {
            if (Source(shape, modules, prefix) is { } source)
                tensors.Add(new CanonicalTensor(shape, source));
        }

        RefuseLeftovers(tensors);
        return new CanonicalModel(config, tensors, _notes);
    }

    /// <summary>The settings, defaults filled in.</summary>
    private protected abstract RetNetConfig ReadConfig();

    /// <summary>Every module of such a model: canonical name and source.</summary>
    private protected abstract IEnumerable<(string Canonical, SourceModule Source)> Modules(RetNetConfig config);

    /// <summary>Refuses settings that the canonical model cannot express.</summary>
    private protected abstract void RefuseSettings();

    /// <summary>Why a tensor of this name cannot be represented, or null when nothing is known about it.</summary>
    private protected virtual string? Refusal(string name) => null;

    /// <summary>Whether a tensor is one that follows from the settings.</summary>
    private protected abstract bool IsBuffer(string name);

    /// <summary>The name that <see cref="Modules"/> uses where versions of a framework differ.</summary>
    private protected virtual string Standardise(string name) => name;

    private protected bool Has(string name) => _tensors.ContainsKey(name);

    private protected CheckpointTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    private protected void Note(string sentence) => _notes.Add(sentence);

    private protected ConverterException Senseless(string key, string problem) => new(Settings.Path, $"'{key}' {problem}");

    private protected int Layers(string key, int fallback) => Count(key, fallback, MostLayers);

    private protected int Heads(string key, int fallback) => Count(key, fallback, MostHeads);

    private protected int Width(string key, int fallback) => Count(key, fallback, WidestRow);

    private protected float Eps(string key, double fallback)
    {
        double eps = Settings.GetDouble(key, fallback);
        return eps is >= 0 and < 1 ? (float)eps : throw Senseless(key, $"is {eps}, expected a number from 0 to below 1");
    }

    /// <summary>A width as one head has it.</summary>
    private protected int OfOneHead(string key, int width, string headsKey, int heads) => width % heads == 0
        ? width / heads
        : throw Senseless(key, $"is {width}, which the {heads} heads of '{headsKey}' do not divide");

    private protected void RequirePairs(string key, int keySize, int heads)
    {
        if (keySize % 2 != 0)
            throw Senseless(key, $"over {heads} heads gives an odd key size {keySize}, but rotary pairs need an even one");
    }

    /// <summary>The setting, or the embedding's rows where it is absent or −1, torchscale's default.</summary>
    private protected int VocabularySize()
    {
        int size = Settings.GetInt32("vocab_size", -1);
        if (size == -1 && Find(TensorNames.Weight(Embedding)) is { Shape: [<= LargestVocabulary, _] } embedding)
            size = (int)embedding.Shape[0];
        return size is > 0 and <= LargestVocabulary ? size : throw Senseless("vocab_size", $"is {size}, expected 1 to {LargestVocabulary}");
    }

    private int Count(string key, int fallback, int most)
    {
        int count = Settings.GetInt32(key, fallback);
        return count > 0 && count <= most ? count : throw Senseless(key, $"is {count}, expected 1 to {most}");
    }

    private static void RequireRetNet(JsonFile settings)
    {
        string type = settings.GetString("model_type", "retnet");
        if (!type.Contains("retnet", StringComparison.OrdinalIgnoreCase) && type != "nucleus_x")
            throw new ConverterException(settings.Path, $"'model_type' is '{type}', only RetNet models are converted");
    }

    /// <summary>What stands before every name: fairseq's <c>decoder.</c>, or a module that holds the model.</summary>
    private string FindPrefix()
    {
        string embedding = TensorNames.Weight(Embedding);
        string? shortest = _checkpoint.Tensors.Keys.Select(Unwrap).Where(name => Ends(name, embedding)).MinBy(name => name.Length);
        return shortest?[..^embedding.Length] ?? "";
    }

    private void AddTensor(CheckpointTensor tensor, string prefix)
    {
        string name = Unwrap(tensor.Name);
        name = name.StartsWith(prefix, StringComparison.Ordinal) ? Standardise(name[prefix.Length..]) : name;
        if (Refusal(name) is { } reason)
            throw new ConverterException(_checkpoint.Path, $"cannot be converted because of the tensor '{tensor.Name}': {reason}");
        if (!_tensors.TryAdd(name, tensor))
            throw new ConverterException(_checkpoint.Path, $"has '{name}' twice, as '{tensor.Name}' and as '{_tensors[name].Name}'");
    }

    private CheckpointTensor? Source(TensorShape shape, Dictionary<string, SourceModule> modules, string prefix)
    {
        string canonical = shape.Name[..shape.Name.LastIndexOf('.')];
        bool isBias = shape.Name == TensorNames.Bias(canonical);
        if (!modules.TryGetValue(canonical, out SourceModule? module) || (isBias && !module.HasBias))
            return null;
        string name = isBias ? TensorNames.Bias(module.Name) : TensorNames.Weight(module.Name);
        IEnumerable<long> expected = shape.Dimensions.Reverse();
        CheckpointTensor tensor = Find(name)
            ?? throw new ConverterException(_checkpoint.Path, $"lacks the tensor '{prefix}{name}' {GgufTensor.FormatShape(expected)} that {Settings.ShortName} asks for");
        CheckpointTensor view = isBias || module.View is null ? tensor : module.View(tensor);
        if (!view.Shape.SequenceEqual(expected))
            throw new ConverterException(tensor.Path, $"tensor '{tensor.Name}' has the shape {GgufTensor.FormatShape(view.Shape)}, {Settings.ShortName} asks for {GgufTensor.FormatShape(expected)}");
        view.RequireType();
        return view;
    }

    private void RefuseLeftovers(List<CanonicalTensor> tensors)
    {
        var known = tensors.Select(tensor => tensor.Source.Name).ToHashSet(StringComparer.Ordinal);
        foreach ((string name, CheckpointTensor tensor) in _tensors)
        {
            if (known.Contains(tensor.Name) || IsBuffer(name))
                continue;
            if (IsTied && name == TensorNames.Weight(Output))
                RequireSame(tensor, _tensors[TensorNames.Weight(Embedding)]);
            else
                throw new ConverterException(tensor.Path, $"tensor '{tensor.Name}' {GgufTensor.FormatShape(tensor.Shape)} belongs to no {Name} RetNet of the settings in {Settings.ShortName}");
        }
    }

    // A state dict of a tied model may hold the one matrix under both names.
    private void RequireSame(CheckpointTensor output, CheckpointTensor embedding)
    {
        const int chunk = 1 << 18;
        bool same = output.DataType == embedding.DataType && output.Shape.SequenceEqual(embedding.Shape);
        var (left, right) = (new float[chunk], new float[chunk]);
        long elements = embedding.Shape.Aggregate(1L, (product, size) => product * size);
        for (long start = 0; same && start < elements; start += chunk)
        {
            int count = (int)Math.Min(chunk, elements - start);
            output.Read(start, left.AsSpan(0, count));
            embedding.Read(start, right.AsSpan(0, count));
            same = left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, count));
        }

        if (!same)
            throw new ConverterException(output.Path, $"tensor '{output.Name}' differs from '{embedding.Name}', but '{TiedKey}' in {Settings.ShortName} says that they are one");
    }

    /// <summary>A name without what data-parallel training, torch.compile, activation checkpointing and FSDP put into it.</summary>
    private static string Unwrap(string name)
    {
        foreach (string wrapper in new[] { "_orig_mod.", "_checkpoint_wrapped_module.", "_fsdp_wrapped_module." })
            name = name.Replace(wrapper, "", StringComparison.Ordinal);
        return name;
    }

    private static bool Ends(string name, string module) =>
        name.EndsWith(module, StringComparison.Ordinal) && (name.Length == module.Length || name[^(module.Length + 1)] == '.');
}
