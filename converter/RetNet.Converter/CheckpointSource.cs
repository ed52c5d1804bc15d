using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>A training framework's checkpoint and the tokenizer beside it.</summary>
internal sealed class CheckpointSource : IModelSource
{
    private readonly Checkpoint _checkpoint;
    private readonly CanonicalModel _model;
    private readonly CheckpointTokenizer _tokenizer;

    /// <exception cref="ConverterException">There is no checkpoint, or none that can be converted.</exception>
    public CheckpointSource(string path)
    {
        _checkpoint = Checkpoint.Open(path);
        try
        {
            _model = Dialect.Read(_checkpoint);
            _tokenizer = CheckpointTokenizer.Read(_checkpoint, _model.Config.VocabularySize);
        }
        catch
        {
            _checkpoint.Dispose();
            throw;
        }

        Config = _model.Config.ContextLength > 0 ? _model.Config : _model.Config with { ContextLength = _tokenizer.ContextLength };
    }

    public RetNetConfig Config { get; }

    public IReadOnlyList<CanonicalTensor> Tensors => _model.Tensors;

    public IEnumerable<string> Files => _checkpoint.Files.Append(_checkpoint.Config.Path);

    public long Bytes => _checkpoint.Bytes;

    public bool HasTokenizer => _tokenizer.Exists;

    public IReadOnlyList<string> Notes => _model.Notes;

    public void WriteMetadata(GgufWriter writer) => _tokenizer.Write(writer);

    public void Dispose()
    {
        _tokenizer.Dispose();
        _checkpoint.Dispose();
    }
}
