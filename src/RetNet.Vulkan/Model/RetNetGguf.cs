using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Model;

/// <summary>A <see cref="RetNetConfig"/> as GGUF metadata of architecture <c>retnet</c>, both ways (docs/format.md).</summary>
public static class RetNetGguf
{
    private const string ArchitectureKey = "general.architecture";
    private const string NameKey = "general.name";

    // Far above any model and low enough that no product of two widths overflows.
    private const int MostLayers = 1 << 12;
    private const int MostHeads = 1 << 12;
    private const int WidestRow = 1 << 20;
    private const int LargestVocabulary = 1 << 24;

    /// <summary>Reads and checks the settings of a model.</summary>
    /// <exception cref="GgufException">The file holds another architecture, or a key is missing or senseless; the message names it.</exception>
    public static RetNetConfig ReadConfig(GgufFile file)
    {
        string architecture = file.GetString(ArchitectureKey);
        if (architecture != RetNetConfig.Architecture)
            throw new GgufException(file.Path, $"is a '{architecture}' model; this program runs '{RetNetConfig.Architecture}' models");
        int heads = ReadCount(file, Keys.Heads, MostHeads);
        NormType normType = ReadChoice(file, Keys.NormType, NormType.Rms);
        var config = new RetNetConfig
        {
            Name = Optional(file, NameKey, ""),
            Layers = ReadCount(file, Keys.Layers, MostLayers),
            Width = ReadCount(file, Keys.Width, WidestRow),
            Heads = heads,
            KeyValueHeads = file.Metadata.ContainsKey(Keys.KeyValueHeads) ? ReadCount(file, Keys.KeyValueHeads, heads) : heads,
            KeySize = ReadCount(file, Keys.KeySize, WidestRow),
            ValueSize = ReadCount(file, Keys.ValueSize, WidestRow),
            FeedForwardSize = ReadCount(file, Keys.FeedForwardSize, WidestRow),
            VocabularySize = ReadCount(file, Keys.VocabularySize, LargestVocabulary),
            ContextLength = (int)Math.Min(Optional(file, Keys.ContextLength, 0u), int.MaxValue),
            NormEps = ReadEps(file, Keys.NormEps(normType)),
            Decay = file.GetArray<float>(Keys.Decay),
            Angles = file.GetArray<float>(Keys.Angles),
            RetentionNormType = ReadChoice(file, Keys.RetentionNormType, NormType.Rms),
            RetentionEps = ReadEps(file, Keys.RetentionEps),
            RetentionEpsScaled = file.GetBool(Keys.RetentionEpsScaled),
            Activation = ReadChoice(file, Keys.Activation, Activation.Silu),
            GatedFeedForward = Optional(file, Keys.GatedFeedForward, true),
            NormType = normType,
            PostNorm = Optional(file, Keys.PostNorm, false),
            ResidualScale = ReadScale(file, Keys.ResidualScale),
            EmbeddingScale = ReadScale(file, Keys.EmbeddingScale),
            OutputGate = Optional(file, Keys.OutputGate, true),
        };
        RequireConsistent(file, config);
        return config;
    }

    /// <summary>Writes every key of <paramref name="config"/>, also those at their defaults.</summary>
    public static void WriteConfig(GgufWriter writer, RetNetConfig config)
    {
        writer.Add(ArchitectureKey, RetNetConfig.Architecture);
        if (config.Name.Length > 0)
            writer.Add(NameKey, config.Name);
        writer.Add(Keys.Layers, (uint)config.Layers);
        writer.Add(Keys.Width, (uint)config.Width);
        writer.Add(Keys.FeedForwardSize, (uint)config.FeedForwardSize);
        writer.Add(Keys.VocabularySize, (uint)config.VocabularySize);
        if (config.ContextLength > 0)
            writer.Add(Keys.ContextLength, (uint)config.ContextLength);
        writer.Add(Keys.Heads, (uint)config.Heads);
        writer.Add(Keys.KeyValueHeads, (uint)config.KeyValueHeads);
        writer.Add(Keys.KeySize, (uint)config.KeySize);
        writer.Add(Keys.ValueSize, (uint)config.ValueSize);
        writer.Add(Keys.NormEps(config.NormType), config.NormEps);
        writer.Add(Keys.Decay, config.Decay);
        writer.Add(Keys.RetentionNormType, Name(config.RetentionNormType));
        writer.Add(Keys.RetentionEps, config.RetentionEps);
        writer.Add(Keys.RetentionEpsScaled, config.RetentionEpsScaled);
        writer.Add(Keys.Angles, config.Angles);
        writer.Add(Keys.Activation, Name(config.Activation));
        writer.Add(Keys.GatedFeedForward, config.GatedFeedForward);
        writer.Add(Keys.NormType, Name(config.NormType));
        writer.Add(Keys.PostNorm, config.PostNorm);
        writer.Add(Keys.ResidualScale, config.ResidualScale);
        writer.Add(Keys.EmbeddingScale, config.EmbeddingScale);
        writer.Add(Keys.OutputGate, config.OutputGate);
    }

    private static void RequireConsistent(GgufFile file, RetNetConfig config)
    {
        if (config.KeySize % 2 != 0)
            throw Senseless(file, Keys.KeySize, $"{config.KeySize}, but rotary pairs need an even size");
        if (config.Heads % config.KeyValueHeads != 0)
            throw Senseless(file, Keys.KeyValueHeads, $"{config.KeyValueHeads}, which does not divide the {config.Heads} heads");
        if ((long)config.Heads * config.KeySize > WidestRow)
            throw Senseless(file, Keys.KeySize, $"{config.KeySize}, too large for {config.Heads} heads");
        if ((long)config.Heads * config.ValueSize > WidestRow)
            throw Senseless(file, Keys.ValueSize, $"{config.ValueSize}, too large for {config.Heads} heads");
        RequireLength(file, Keys.Decay, config.Decay.Count, config.Heads, "one a head");
        RequireLength(file, Keys.Angles, config.Angles.Count, config.KeySize / 2, "one a rotary pair");
        foreach (float decay in config.Decay)
        {
            if (!(decay > 0 && decay <= 1))
                throw Senseless(file, Keys.Decay, $"{decay} for one head, but a decay lies in (0, 1]");
        }

        foreach (float angle in config.Angles)
        {
            if (!float.IsFinite(angle))
                throw Senseless(file, Keys.Angles, $"{angle} for one pair, but an angle is finite");
        }
    }

    private static void RequireLength(GgufFile file, string key, int count, int expected, string why)
    {
        if (count != expected)
            throw Senseless(file, key, $"an array of {count}, expected {expected}, {why}");
    }

    private static int ReadCount(GgufFile file, string key, int most)
    {
        uint value = file.GetUInt32(key);
        if (value is 0 || value > most)
            throw Senseless(file, key, $"{value}, expected 1 to {most}");
        return (int)value;
    }

    private static float ReadEps(GgufFile file, string key)
    {
        float value = file.GetFloat32(key);
        if (!(value >= 0 && value < 1))
            throw Senseless(file, key, $"{value}, expected a number from 0 to below 1");
        return value;
    }

    private static float ReadScale(GgufFile file, string key)
    {
        float value = Optional(file, key, 1f);
        if (!(float.IsFinite(value) && value > 0))
            throw Senseless(file, key, $"{value}, expected a positive number");
        return value;
    }

    private static T ReadChoice<T>(GgufFile file, string key, T fallback)
        where T : struct, Enum
    {
        if (!file.TryGet(key, out string? name))
            return fallback;
        foreach (T choice in Enum.GetValues<T>())
        {
            if (Name(choice) == name)
                return choice;
        }

        throw Senseless(file, key, $"'{name}', expected one of {string.Join(", ", Enum.GetValues<T>().Select(Name))}");
    }

    private static T Optional<T>(GgufFile file, string key, T fallback)
        where T : notnull =>
        file.TryGet(key, out T? value) ? value : fallback;

    private static GgufException Senseless(GgufFile file, string key, string value) =>
        new(file.Path, $"metadata '{key}' is {value}; the file is damaged or was written by a faulty converter");

#pragma warning disable CA1308 // The format's names are lower case.
    private static string Name<T>(T choice)
        where T : struct, Enum =>
        choice.ToString().ToLowerInvariant();
#pragma warning restore CA1308

    private static class Keys
    {
        public const string Layers = "retnet.block_count";
        public const string Width = "retnet.embedding_length";
        public const string FeedForwardSize = "retnet.feed_forward_length";
        public const string VocabularySize = "retnet.vocab_size";
        public const string ContextLength = "retnet.context_length";
        public const string Heads = "retnet.attention.head_count";
        public const string KeyValueHeads = "retnet.attention.head_count_kv";
        public const string KeySize = "retnet.attention.key_length";
        public const string ValueSize = "retnet.attention.value_length";
        public const string Decay = "retnet.retention.decay";
        public const string RetentionNormType = "retnet.retention.norm_type";
        public const string RetentionEps = "retnet.retention.eps";
        public const string RetentionEpsScaled = "retnet.retention.eps_scaled";
        public const string Angles = "retnet.rope.angles";
        public const string Activation = "retnet.feed_forward.activation";
        public const string GatedFeedForward = "retnet.feed_forward.gated";
        public const string NormType = "retnet.norm.type";
        public const string PostNorm = "retnet.norm.post";
        public const string ResidualScale = "retnet.residual_scale";
        public const string EmbeddingScale = "retnet.embedding_scale";
        public const string OutputGate = "retnet.output_gate";

        public static string NormEps(NormType type) => type == Model.NormType.Layer
            ? "retnet.attention.layer_norm_epsilon"
            : "retnet.attention.layer_norm_rms_epsilon";
    }
}
