using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>What a conversion did.</summary>
public sealed record ConversionSummary
{
    /// <summary>The file that was written.</summary>
    public required string Output { get; init; }

    /// <summary>The model's settings.</summary>
    public required RetNetConfig Config { get; init; }

    /// <summary>Number of tensors.</summary>
    public required int Tensors { get; init; }

    /// <summary>Number of weights.</summary>
    public required long Parameters { get; init; }

    /// <summary>Size of the source's weight files in bytes.</summary>
    public required long SourceBytes { get; init; }

    /// <summary>Size of the output file in bytes.</summary>
    public required long OutputBytes { get; init; }

    /// <summary>Tensors and bytes of each type, largest first.</summary>
    public required IReadOnlyList<TypeTotal> Types { get; init; }

    /// <summary>Matrices that are in another type than the one asked for.</summary>
    public required IReadOnlyList<KeptTensor> Kept { get; init; }

    /// <summary>Whether the file holds a tokenizer; without one it takes and gives token ids only.</summary>
    public required bool HasTokenizer { get; init; }

    /// <summary>Sentences that a user should read.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
