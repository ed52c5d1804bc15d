using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>A model to convert, whatever it is stored in.</summary>
internal interface IModelSource : IDisposable
{
    /// <summary>The settings; with an empty name where the source says none.</summary>
    RetNetConfig Config { get; }

    /// <summary>All tensors, in the order in which they are to be written.</summary>
    IReadOnlyList<CanonicalTensor> Tensors { get; }

    /// <summary>The files that are read, which the output must not be.</summary>
    IEnumerable<string> Files { get; }

    /// <summary>Size of the weight files in bytes.</summary>
    long Bytes { get; }

    /// <summary>Whether there is a tokenizer.</summary>
    bool HasTokenizer { get; }

    /// <summary>Sentences that a user should read.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>Adds what the model file is to hold besides the settings, such as the tokenizer.</summary>
    void WriteMetadata(GgufWriter writer);
}
