using RetNet.Vulkan.Text.Decoders;
using RetNet.Vulkan.Text.Normalizers;
using RetNet.Vulkan.Text.PreTokenizers;

namespace RetNet.Vulkan.Text;

/// <summary>The components of a tokenizer, as <c>tokenizer.json</c> names them.</summary>
internal sealed record TokenizerComponents
{
    /// <summary>Rewrites text before it is cut.</summary>
    public required INormalizer Normalizer { get; init; }

    /// <summary>Cuts text into words.</summary>
    public required IPreTokenizer PreTokenizer { get; init; }

    /// <summary>Encodes words.</summary>
    public required BytePairModel Model { get; init; }

    /// <summary>Turns tokens into text.</summary>
    public required IDecoder Decoder { get; init; }

    /// <summary>What is put around a text.</summary>
    public required TokenTemplate Template { get; init; }
}
