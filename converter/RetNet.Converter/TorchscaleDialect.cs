using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using static RetNet.Vulkan.Model.TensorNames;

namespace RetNet.Converter;

/// <summary>
/// microsoft/torchscale's <c>RetNetDecoder</c> as of 2024-04-11 (4d1e0e8; architecture/retnet.py, config.py,
/// component/multiscale_retention.py, gate_linear_unit.py): RMSNorm, no biases, gated feed-forward network. Its rotary
/// pairs are the canonical ones, so tensors are only renamed.
/// </summary>
public static class TorchscaleDialect
{
    private const string Prefix = "decoder.";
    private const string Embedding = "embed_tokens.weight";
    private const string OutputProjection = "output_projection.weight";
    private const string DecayBuffer = "retnet_rel_pos.decay";
    private const string BufferPrefix = "retnet_rel_pos.";
    private const int MostLayers = 1 << 12;
    private const int MostHeads = 1 << 12;
    private const int WidestRow = 1 << 20;
    private const int LargestVocabulary = 1 << 24;

    /// <summary>Maps names and settings to canonical ones and checks every shape.</summary>
    /// <exception cref="ConverterException">The checkpoint is of another dialect, cannot be represented, lacks a tensor or has one too many.</exception>
    public static CanonicalModel Read(Checkpoint checkpoint)
    {
        RefuseOtherNames(checkpoint);
        RefuseOtherSettings(checkpoint.Config);
        string prefix = checkpoint.Tensors.ContainsKey(Prefix + Embedding) ? Prefix : "";
        var notes = new List<string>();
        RetNetConfig config = ReadConfig(checkpoint, prefix, notes);
        bool tied = checkpoint.Config.GetBoolean("share_decoder_input_output_embed", false);
        Dictionary<string, string> names = Names(config, tied, checkpoint.Config.GetBoolean("layernorm_embedding", false));
        List<CanonicalTensor> tensors = [.. TensorShapes.Of(config)
            .Where(shape => names.ContainsKey(shape.Name))
            .Select(shape => new CanonicalTensor(shape, Find(checkpoint, prefix + names[shape.Name], shape)))];
        RefuseLeftovers(checkpoint, prefix, tied, tensors);
        return new CanonicalModel(config, tensors, notes);
    }

    private static RetNetConfig ReadConfig(Checkpoint checkpoint, string prefix, List<string> notes)
    {
        JsonFile json = checkpoint.Config;
        int width = Count(json, "decoder_embed_dim", 768, WidestRow);
        int heads = Count(json, "decoder_retention_heads", 3, MostHeads);
        int valueWidth = Count(json, "decoder_value_embed_dim", 1280, WidestRow);
        int layers = Count(json, "decoder_layers", 12, MostLayers);
        RequireDivisible(json, "decoder_embed_dim", width, heads);
        RequireDivisible(json, "decoder_value_embed_dim", valueWidth, heads);
        int keySize = width / heads;
        if (keySize % 2 != 0)
            throw new ConverterException(json.Path, $"'decoder_embed_dim' {width} over {heads} heads gives an odd key size {keySize}, but rotary pairs need an even one");
        float eps = ReadEps(json);
        return new RetNetConfig
        {
            Layers = layers,
            Width = width,
            Heads = heads,
            KeyValueHeads = heads,
            KeySize = keySize,
            ValueSize = valueWidth / heads,
            FeedForwardSize = Count(json, "decoder_ffn_embed_dim", 1280, WidestRow),
            VocabularySize = ReadVocabularySize(checkpoint, prefix),
            ContextLength = Math.Max(0, json.GetInt32("max_target_positions", 0)),
            NormEps = eps,
            RetentionEps = eps,
            RetentionEpsScaled = true,
            Decay = ReadDecay(checkpoint, prefix, heads, notes),
            Angles = Angles(keySize),
            Activation = ReadActivation(json),
            PostNorm = !json.GetBoolean("decoder_normalize_before", true),
            ResidualScale = json.GetBoolean("deepnorm", false) ? (float)Math.Pow(2.0 * layers, 0.25) : 1,
            EmbeddingScale = json.GetBoolean("no_scale_embedding", true) ? 1 : (float)Math.Sqrt(width),
        };
    }

    /// <summary>Canonical full names and torchscale's. torchscale's <c>gate</c> is the linear branch, <c>fc1</c> the activated one.</summary>
    private static Dictionary<string, string> Names(RetNetConfig config, bool tied, bool embeddingNorm)
    {
        var names = new Dictionary<string, string> { [TokenEmbedding] = "embed_tokens" };
        if (embeddingNorm)
            names.Add(TokenEmbeddingNorm, "layernorm_embedding");
        for (int i = 0; i < config.Layers; i++)
        {
            string layer = $"layers.{i}.";
            names.Add(AttentionNorm(i), layer + "retention_layer_norm");
            names.Add(Query(i), layer + "retention.q_proj");
            names.Add(Key(i), layer + "retention.k_proj");
            names.Add(Value(i), layer + "retention.v_proj");
            names.Add(Gate(i), layer + "retention.g_proj");
            names.Add(AttentionOutput(i), layer + "retention.out_proj");
            names.Add(FeedForwardNorm(i), layer + "final_layer_norm");
            names.Add(FeedForwardGate(i), layer + "ffn.fc1");
            names.Add(FeedForwardUp(i), layer + "ffn.gate");
            names.Add(FeedForwardDown(i), layer + "ffn.fc2");
        }

        if (!config.PostNorm)
            names.Add(OutputNorm, "layer_norm");
        if (!tied)
            names.Add(Output, "output_projection");
        return names.ToDictionary(pair => Weight(pair.Key), pair => Weight(pair.Value), StringComparer.Ordinal);
    }

    private static CheckpointTensor Find(Checkpoint checkpoint, string name, TensorShape shape)
    {
        IEnumerable<long> expected = shape.Dimensions.Reverse();
        if (!checkpoint.Tensors.TryGetValue(name, out CheckpointTensor? tensor))
            throw new ConverterException(checkpoint.Path, $"lacks the tensor '{name}' {GgufTensor.FormatShape(expected)} that config.json asks for");
        if (!tensor.Shape.SequenceEqual(expected))
            throw new ConverterException(tensor.Path, $"tensor '{name}' has the shape {GgufTensor.FormatShape(tensor.Shape)}, config.json asks for {GgufTensor.FormatShape(expected)}");
        tensor.RequireType();
        return tensor;
    }

    private static int ReadVocabularySize(Checkpoint checkpoint, string prefix)
    {
        // torchscale's default is −1: then the embedding decides.
        int size = checkpoint.Config.GetInt32("vocab_size", -1);
        if (size == -1 && checkpoint.Tensors.TryGetValue(prefix + Embedding, out CheckpointTensor? embedding) && embedding.Shape is [<= LargestVocabulary, _])
            size = (int)embedding.Shape[0];
        return size is > 0 and <= LargestVocabulary
            ? size
            : throw new ConverterException(checkpoint.Config.Path, $"'vocab_size' is {size}, expected 1 to {LargestVocabulary}");
    }

    /// <summary>γ_h = 1 − 2^(−5−h), or the checkpoint's own where it differs by more than its number format explains.</summary>
    private static float[] ReadDecay(Checkpoint checkpoint, string prefix, int heads, List<string> notes)
    {
        float[] decay = [.. Enumerable.Range(0, heads).Select(h => (float)(1 - Math.Pow(2, -5 - h)))];
        if (!checkpoint.Tensors.TryGetValue(prefix + DecayBuffer, out CheckpointTensor? buffer))
            return decay;
        if (buffer.Shape is not [long count] || count != heads)
            throw new ConverterException(buffer.Path, $"tensor '{buffer.Name}' has the shape {GgufTensor.FormatShape(buffer.Shape)}, config.json asks for [{heads}]");
        var logarithms = new float[heads];
        buffer.Read(0, logarithms);
        if (!logarithms.Where((value, h) => Disagrees(value, h)).Any())
            return decay;
        notes.Add($"the decay in '{buffer.Name}' is not torchscale's 1 - 2^(-5-h); the checkpoint's own was taken");
        return [.. logarithms.Select(value => Math.Exp(value) is > 0 and <= 1 and double gamma && (float)gamma > 0
            ? (float)gamma
            : throw new ConverterException(buffer.Path, $"tensor '{buffer.Name}' holds {value}, but the logarithm of a decay is negative or zero"))];
    }

    // The buffer holds ln γ in the model's type: bf16 keeps 8 bits (2⁻⁹), f16 has no steps below 2⁻²⁴.
    private static bool Disagrees(float logarithm, int head)
    {
        double expected = Math.Log(1 - Math.Pow(2, -5 - head));
        return !(Math.Abs(logarithm - expected) <= 5e-3 * Math.Abs(expected) + Math.ScaleB(1, -24));
    }

    /// <summary>θ_i = 10000^(−i / (dk/2 − 1)): torchscale's linspace reaches 1/10000 exactly.</summary>
    private static float[] Angles(int keySize)
    {
        int pairs = keySize / 2;
        return [.. Enumerable.Range(0, pairs).Select(i => pairs == 1 ? 1 : (float)Math.Pow(10000, -(double)i / (pairs - 1)))];
    }

    private static Activation ReadActivation(JsonFile json) => json.GetString("activation_fn", "gelu") switch
    {
        "gelu" => Activation.Gelu,
        "swish" => Activation.Silu,
        "relu" => Activation.Relu,
        string other => throw new ConverterException(json.Path, $"'activation_fn' is '{other}', expected gelu, swish or relu"),
    };

    private static float ReadEps(JsonFile json)
    {
        double eps = json.GetDouble("layernorm_eps", 1e-6);
        return eps is >= 0 and < 1 ? (float)eps : throw new ConverterException(json.Path, $"'layernorm_eps' is {eps}, expected a number from 0 to below 1");
    }

    private static int Count(JsonFile json, string key, int fallback, int most)
    {
        int count = json.GetInt32(key, fallback);
        return count > 0 && count <= most ? count : throw new ConverterException(json.Path, $"'{key}' is {count}, expected 1 to {most}");
    }

    private static void RequireDivisible(JsonFile json, string key, int width, int heads)
    {
        if (width % heads != 0)
            throw new ConverterException(json.Path, $"'{key}' is {width}, which the {heads} heads of 'decoder_retention_heads' do not divide");
    }

    private static void RefuseOtherNames(Checkpoint checkpoint)
    {
        foreach (string name in checkpoint.Tensors.Keys)
        {
            string? reason = name switch
            {
                _ when name.Contains(".moe_layer.", StringComparison.Ordinal) => "mixture-of-experts layers are not supported",
                _ when name.EndsWith(".A.weight", StringComparison.Ordinal) || name.EndsWith(".B.weight", StringComparison.Ordinal) => "multiway models are not supported",
                _ when name.EndsWith(".bias", StringComparison.Ordinal) && name.Contains("layers.", StringComparison.Ordinal) => "biases belong to torchscale before 2023-09-28 (LayerNorm, no gated feed-forward network), which is not supported",
                "model.embeddings.weight" => "this is a flash-linear-attention checkpoint, only torchscale's are read",
                "model.embed_tokens.weight" or "lm_head.weight" => "this is a Hugging Face style checkpoint (syncdoth/RetNet), only torchscale's are read",
                _ => null,
            };
            if (reason is not null)
                throw new ConverterException(checkpoint.Path, $"cannot be converted because of the tensor '{name}': {reason}");
        }
    }

    private static void RefuseOtherSettings(JsonFile json)
    {
        if (json.GetInt32("moe_freq", 0) > 0)
            throw new ConverterException(json.Path, "'moe_freq' asks for mixture-of-experts layers, which are not supported");
        if (json.GetBoolean("multiway", false))
            throw new ConverterException(json.Path, "'multiway' asks for a multiway model, which is not supported");
    }

    private static void RefuseLeftovers(Checkpoint checkpoint, string prefix, bool tied, List<CanonicalTensor> tensors)
    {
        var known = tensors.Select(tensor => tensor.Source.Name).ToHashSet(StringComparer.Ordinal);
        foreach (CheckpointTensor tensor in checkpoint.Tensors.Values)
        {
            if (known.Contains(tensor.Name) || tensor.Name.StartsWith(prefix + BufferPrefix, StringComparison.Ordinal))
                continue;
            if (tied && tensor.Name == prefix + OutputProjection)
                RequireSame(tensor, checkpoint.Tensors[prefix + Embedding]);
            else
                throw new ConverterException(tensor.Path, $"tensor '{tensor.Name}' {GgufTensor.FormatShape(tensor.Shape)} belongs to no torchscale RetNet of the settings in config.json");
        }
    }

    // A state dict of a tied model may hold the one matrix under both names.
    private static void RequireSame(CheckpointTensor output, CheckpointTensor embedding)
    {
        const int chunk = 1 << 20;
        bool same = output.DataType == embedding.DataType && output.Bytes == embedding.Bytes;
        for (long start = 0; same && start < output.Bytes; start += chunk)
        {
            int count = (int)Math.Min(chunk, output.Bytes - start);
            same = output.Span(start, count).SequenceEqual(embedding.Span(start, count));
        }

        if (!same)
            throw new ConverterException(output.Path, $"tensor '{output.Name}' differs from '{embedding.Name}', but 'share_decoder_input_output_embed' in config.json says that they are one");
    }
}
