using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// A session in a file, to go on exactly where it stopped: its state, its last tokens and how it sampled. A GGUF of
/// architecture <c>retnet-state</c> (docs/format.md); it belongs to one model, and a checksum tells whether it is whole.
/// </summary>
public static class SessionFile
{
    /// <summary>The architecture name in GGUF and the prefix of its keys.</summary>
    public const string Architecture = "retnet-state";

    private const string ModelKey = Architecture + ".model";
    private const string PositionKey = Architecture + ".position";
    private const string PendingKey = Architecture + ".pending";
    private const string TokensKey = Architecture + ".tokens";
    private const string ChecksumKey = Architecture + ".checksum";
    private const string SamplerPrefix = Architecture + ".sampler.";

    /// <summary>Writes a session; the file appears when it is complete.</summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="session">The session; nothing may be generating on it.</param>
    /// <param name="sampler">How it sampled.</param>
    /// <param name="model">The model's <see cref="GgufFile.Fingerprint"/>.</param>
    /// <exception cref="GgufException">The file cannot be written.</exception>
    public static void Save(string path, RecurrentSession session, SamplerOptions sampler, string model)
    {
        ArgumentNullException.ThrowIfNull(session);
        Write(path, session.Snapshot(sampler), session.Config, model);
    }

    /// <summary>Writes a session's file; it appears when it is complete.</summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="saved">The session.</param>
    /// <param name="config">The model.</param>
    /// <param name="model">Its <see cref="GgufFile.Fingerprint"/>.</param>
    /// <exception cref="GgufException">The file cannot be written.</exception>
    public static void Write(string path, SavedSession saved, RetNetConfig config, string model)
    {
        using var writer = GgufWriter.Create(path);
        writer.Add("general.architecture", Architecture);
        writer.Add(ModelKey, model);
        writer.Add(PositionKey, (ulong)saved.Position);
        writer.Add(PendingKey, saved.IsPending);
        writer.Add(TokensKey, saved.RecentTokens);
        Write(writer, saved.Sampler);
        writer.Add(ChecksumKey, Checksum(model, saved));
        var tensors = Enumerable.Range(0, config.Layers)
            .Select(layer => writer.AddTensor(TensorName(layer), BlockType.Of(GgmlType.F32), config.ValueSize, config.KeySize, config.Heads)).ToArray();
        for (var layer = 0; layer < tensors.Length; layer++)
            writer.Write(tensors[layer], MemoryMarshal.AsBytes(saved.Layers[layer].AsSpan()));
        writer.Complete();
    }

    /// <summary>Replaces a session by the one in a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="session">The session; left as it was where the file is refused.</param>
    /// <param name="model">The <see cref="GgufFile.Fingerprint"/> of its model.</param>
    /// <returns>How the saved session sampled.</returns>
    /// <exception cref="GgufException">The file is missing, damaged, no session's, or of another model.</exception>
    public static SamplerOptions Load(string path, RecurrentSession session, string model)
    {
        ArgumentNullException.ThrowIfNull(session);
        var saved = Read(path, session.Config, model);
        session.Restore(saved);
        return saved.Sampler;
    }

    /// <summary>Reads a session's file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="config">The model.</param>
    /// <param name="model">Its <see cref="GgufFile.Fingerprint"/>.</param>
    /// <exception cref="GgufException">The file is missing, damaged, no session's, or of another model.</exception>
    public static SavedSession Read(string path, RetNetConfig config, string model)
    {
        using var file = GgufFile.Open(path);
        if (!file.TryGet("general.architecture", out string? architecture) || architecture != Architecture)
            throw new GgufException(path, "holds no saved session; make one with 'retnet generate --save-state FILE'");
        if (file.GetString(ModelKey) != model)
            throw new GgufException(path, "was saved with another model; name that one with --model");
        var saved = new SavedSession
        {
            Position = ReadPosition(file),
            IsPending = file.GetBool(PendingKey),
            RecentTokens = [.. file.GetArray<int>(TokensKey)],
            Sampler = ReadSampler(file),
            Layers = [.. Enumerable.Range(0, config.Layers).Select(layer => ReadLayer(file, config, layer))],
        };
        if (file.GetString(ChecksumKey) != Checksum(model, saved))
            throw new GgufException(path, "is damaged: its checksum does not match; save the session again");
        try
        {
            saved.Validate(config);
        }
        catch (ArgumentException e)
        {
            throw new GgufException(path, $"does not fit the model: {e.Message}", e);
        }

        return saved;
    }

    private static string TensorName(int layer) => $"blk.{layer}.state";

    private static long ReadPosition(GgufFile file) => file.TryGet(PositionKey, out ulong position) && position <= uint.MaxValue
        ? (long)position
        : throw new GgufException(file.Path, $"has no valid metadata '{PositionKey}'; save the session again");

    private static float[] ReadLayer(GgufFile file, RetNetConfig config, int layer)
    {
        var tensor = file.GetTensor(TensorName(layer));
        if (tensor.Type.Type != GgmlType.F32 || !tensor.Dimensions.SequenceEqual([config.ValueSize, config.KeySize, config.Heads]))
            throw new GgufException(file.Path, $"tensor '{tensor.Name}' has the shape {tensor.Shape}, which is not this model's state; save the session again");
        return MemoryMarshal.Cast<byte, float>(file.Rows(tensor, 0, (int)tensor.Rows)).ToArray();
    }

    private static void Write(GgufWriter writer, SamplerOptions sampler)
    {
        writer.Add(SamplerPrefix + "temperature", sampler.Temperature);
        writer.Add(SamplerPrefix + "top_k", (uint)sampler.TopK);
        writer.Add(SamplerPrefix + "top_p", sampler.TopP);
        writer.Add(SamplerPrefix + "min_p", sampler.MinP);
        writer.Add(SamplerPrefix + "repeat_penalty", sampler.RepeatPenalty);
        writer.Add(SamplerPrefix + "repeat_window", (uint)sampler.RepeatWindow);
        writer.Add(SamplerPrefix + "seed", sampler.Seed);
    }

    private static SamplerOptions ReadSampler(GgufFile file) => new()
    {
        Temperature = file.GetFloat32(SamplerPrefix + "temperature"),
        TopK = (int)file.GetUInt32(SamplerPrefix + "top_k"),
        TopP = file.GetFloat32(SamplerPrefix + "top_p"),
        MinP = file.GetFloat32(SamplerPrefix + "min_p"),
        RepeatPenalty = file.GetFloat32(SamplerPrefix + "repeat_penalty"),
        RepeatWindow = (int)file.GetUInt32(SamplerPrefix + "repeat_window"),
        Seed = file.TryGet(SamplerPrefix + "seed", out ulong seed) ? seed : throw new GgufException(file.Path, $"has no metadata '{SamplerPrefix}seed'; save the session again"),
    };

    private static string Settings(string model, SavedSession saved)
    {
        var s = saved.Sampler;
        return string.Create(CultureInfo.InvariantCulture, $"{model} {saved.Position} {saved.IsPending} {s.Temperature} {s.TopK} {s.TopP} {s.MinP} {s.RepeatPenalty} {s.RepeatWindow} {s.Seed}");
    }

    private static string Checksum(string model, SavedSession saved)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(Settings(model, saved)));
        hash.AppendData(MemoryMarshal.AsBytes(saved.RecentTokens.AsSpan()));
        foreach (var layer in saved.Layers)
            hash.AppendData(MemoryMarshal.AsBytes(layer.AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
