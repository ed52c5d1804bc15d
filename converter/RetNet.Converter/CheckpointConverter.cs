using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>Checkpoints to GGUF of architecture <c>retnet</c> (docs/format.md), one tensor at a time.</summary>
public static class CheckpointConverter
{
    private const uint QuantizationVersion = 2;

    /// <summary>Converts the checkpoint at <paramref name="source"/> to the file <paramref name="output"/>.</summary>
    /// <param name="source">A folder, or one weight file beside its config.json (<see cref="Checkpoint.Open"/>).</param>
    /// <param name="output">The GGUF file to create or replace; it appears when it is complete.</param>
    /// <param name="type">Type of the matrices; vectors are f32.</param>
    /// <param name="name">The model's name for people; the source's name by default.</param>
    /// <param name="progress">Told after every piece that was written.</param>
    /// <param name="cancellation">Stops between pieces; nothing is left behind.</param>
    /// <exception cref="ConverterException">The checkpoint cannot be converted.</exception>
    /// <exception cref="GgufException">The output cannot be written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ConversionSummary Convert(
        string source,
        string output,
        BlockType type,
        string? name = null,
        IProgress<ConversionProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        using Checkpoint checkpoint = Checkpoint.Open(source);
        RequireAnotherFile(checkpoint, output);
        CanonicalModel model = Dialect.Read(checkpoint);
        using var tokenizer = CheckpointTokenizer.Read(checkpoint, model.Config.VocabularySize);
        RetNetConfig config = model.Config with
        {
            Name = name ?? NameOf(source),
            ContextLength = model.Config.ContextLength > 0 ? model.Config.ContextLength : tokenizer.ContextLength,
        };
        List<PlannedTensor> plan = [.. model.Tensors.Select(tensor => PlannedTensor.Plan(tensor, type))];
        using (GgufWriter writer = GgufWriter.Create(output))
        {
            RetNetGguf.WriteConfig(writer, config);
            WriteFileType(writer, type);
            tokenizer.Write(writer);
            WriteTensors(writer, plan, progress, cancellation);
            writer.Complete();
        }

        return Summarize(checkpoint, output, config, plan, tokenizer.Exists, model.Notes);
    }

    private static void RequireAnotherFile(Checkpoint checkpoint, string output)
    {
        string target = RealPath(output);
        string? same = checkpoint.Files.Append(checkpoint.Config.Path).FirstOrDefault(file => RealPath(file) == target);
        if (same is not null)
            throw new ConverterException(output, "is a file of the checkpoint itself; name another output");
    }

    private static string RealPath(string path) =>
        (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? Path.GetFullPath(path);

    private static string NameOf(string source) => Directory.Exists(source)
        ? new DirectoryInfo(source).Name
        : Path.GetFileNameWithoutExtension(source);

    private static void WriteFileType(GgufWriter writer, BlockType type)
    {
        // llama.h, enum llama_ftype.
        writer.Add("general.file_type", type.Type switch
        {
            GgmlType.F32 => 0u,
            GgmlType.F16 => 1u,
            GgmlType.Q4_0 => 2u,
            GgmlType.Q8_0 => 7u,
            GgmlType.BF16 => 32u,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no file type"),
        });
        if (type.IsQuantized)
            writer.Add("general.quantization_version", QuantizationVersion);
    }

    private static void WriteTensors(
        GgufWriter writer, List<PlannedTensor> plan, IProgress<ConversionProgress>? progress, CancellationToken cancellation)
    {
        List<GgufTensor> targets = [.. plan.Select(p => writer.AddTensor(p.Tensor.Shape.Name, p.Type, p.Tensor.Shape.Dimensions))];
        long bytes = targets.Sum(target => target.Bytes);
        long bytesDone = 0;
        for (int i = 0; i < plan.Count; i++)
        {
            GgufTensor target = targets[i];
            long end = bytesDone + target.Bytes;
            TensorEncoder.Encode(
                plan[i],
                piece =>
                {
                    writer.Write(target, piece.Span);
                    bytesDone += piece.Length;
                    progress?.Report(new(target.Name, bytesDone == end ? i + 1 : i, plan.Count, bytesDone, bytes));
                },
                cancellation);
        }
    }

    private static ConversionSummary Summarize(
        Checkpoint checkpoint, string output, RetNetConfig config, List<PlannedTensor> plan, bool hasTokenizer, IReadOnlyList<string> notes) => new()
    {
        Output = output,
        Config = config,
        Tensors = plan.Count,
        Parameters = plan.Sum(p => p.Tensor.RowLength * p.Tensor.Rows),
        SourceBytes = checkpoint.Bytes,
        OutputBytes = new FileInfo(output).Length,
        Types = [.. plan.GroupBy(p => p.Type)
            .Select(group => new TypeTotal(group.Key, group.Count(), group.Sum(p => p.Type.RowBytes(p.Tensor.RowLength) * p.Tensor.Rows)))
            .OrderByDescending(total => total.Bytes)],
        Kept = [.. plan.Where(p => p.Reason is not null).Select(p => new KeptTensor(p.Tensor.Shape.Name, p.Type, p.Reason!))],
        HasTokenizer = hasTokenizer,
        Notes = notes,
    };
}
