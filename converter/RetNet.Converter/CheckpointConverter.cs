using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>
/// Checkpoints, and model files that are not quantised, to GGUF of architecture <c>retnet</c> (docs/format.md), one piece
/// of a tensor at a time.
/// </summary>
public static class CheckpointConverter
{
    private const uint QuantizationVersion = 2;

    /// <summary>Converts the model at <paramref name="source"/> to the file <paramref name="output"/>.</summary>
    /// <param name="source">
    /// A folder or one weight file beside its config.json (<see cref="Checkpoint.Open"/>), or a GGUF file in f32, f16 or bf16.
    /// </param>
    /// <param name="output">The GGUF file to create or replace; it appears when it is complete.</param>
    /// <param name="type">Type of the matrices; vectors are f32.</param>
    /// <param name="name">The model's name for people; the source's name by default.</param>
    /// <param name="progress">Told after every piece that was written.</param>
    /// <param name="cancellation">Stops between pieces; nothing is left behind.</param>
    /// <exception cref="ConverterException">The model cannot be converted.</exception>
    /// <exception cref="GgufException">The source is a GGUF file and damaged, or the output cannot be written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ConversionSummary Convert(
        string source,
        string output,
        BlockType type,
        string? name = null,
        IProgress<ConversionProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        using IModelSource model = GgufSource.IsGguf(source) ? new GgufSource(source) : new CheckpointSource(source);
        RequireAnotherFile(model, output);
        RetNetConfig config = model.Config with { Name = name ?? (model.Config.Name is { Length: > 0 } own ? own : NameOf(source)) };
        List<PlannedTensor> plan = [.. model.Tensors.Select(tensor => PlannedTensor.Plan(tensor, type))];
        using (GgufWriter writer = GgufWriter.Create(output))
        {
            RetNetGguf.WriteConfig(writer, config);
            WriteFileType(writer, type);
            model.WriteMetadata(writer);
            WriteTensors(writer, plan, progress, cancellation);
            writer.Complete();
        }

        return Summarize(model, output, config, plan);
    }

    private static void RequireAnotherFile(IModelSource model, string output)
    {
        string target = RealPath(output);
        if (model.Files.Any(file => RealPath(file) == target))
            throw new ConverterException(output, "is a file of the source itself; name another output");
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
            GgmlType.IQ4_NL => 25u,
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

    private static ConversionSummary Summarize(IModelSource model, string output, RetNetConfig config, List<PlannedTensor> plan) => new()
    {
        Output = output,
        Config = config,
        Tensors = plan.Count,
        Parameters = plan.Sum(p => p.Tensor.RowLength * p.Tensor.Rows),
        SourceBytes = model.Bytes,
        OutputBytes = new FileInfo(output).Length,
        Types = [.. plan.GroupBy(p => p.Type)
            .Select(group => new TypeTotal(group.Key, group.Count(), group.Sum(p => p.Type.RowBytes(p.Tensor.RowLength) * p.Tensor.Rows)))
            .OrderByDescending(total => total.Bytes)],
        Kept = [.. plan.Where(p => p.Reason is not null).Select(p => new KeptTensor(p.Tensor.Shape.Name, p.Type, p.Reason!))],
        HasTokenizer = model.HasTokenizer,
        Notes = model.Notes,
    };
}
