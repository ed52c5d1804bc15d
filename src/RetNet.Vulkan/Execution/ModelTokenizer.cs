using System.Globalization;
using System.Text;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Execution;

/// <summary>The tokenizer of a GGUF and the tokens that begin and end a text (docs/format.md). Immutable.</summary>
public sealed class ModelTokenizer
{
    private const string TokenizerKey = "tokenizer.huggingface.json";
    private const string BosKey = "tokenizer.ggml.bos_token_id";
    private const string AddBosKey = "tokenizer.ggml.add_bos_token";

    // ggml tells the end of a text from the end of a turn; either ends what a model has to say.
    private static readonly string[] EndKeys = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"];

    private readonly string _path;
    private readonly HashSet<int> _ends;
    private readonly bool? _addBos;

    private ModelTokenizer(GgufFile file, int vocabularySize)
    {
        _path = file.Path;
        Tokenizer = ReadTokenizer(file);
        if (Tokenizer.VocabularySize > vocabularySize)
            throw new GgufException(file.Path, $"its tokenizer has {Tokenizer.VocabularySize} tokens, its model {vocabularySize}; they do not belong together, convert the model again");
        Bos = ReadToken(file, BosKey, vocabularySize);
        _addBos = file.TryGet(AddBosKey, out bool add) ? add : null;
        Eos = ReadToken(file, EndKeys[0], vocabularySize);
        _ends = [.. EndKeys.Select(key => ReadToken(file, key, vocabularySize)).OfType<int>()];
    }

    /// <summary>Text to tokens and back.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The token that begins a text, if the model has one.</summary>
    public int? Bos { get; }

    /// <summary>The token that ends a document, if the model has one.</summary>
    public int? Eos { get; }

    /// <summary>Whether every prompt begins with <see cref="Bos"/>: as the metadata say, otherwise as the tokenizer's <c>post_processor</c> does.</summary>
    public bool AddBos => _addBos ?? (Bos is { } bos && Tokenizer.Prefix.Contains(bos));

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlySet<int> Ends => _ends;

    /// <summary>Reads the tokenizer of <paramref name="file"/>, whose model has <paramref name="vocabularySize"/> tokens.</summary>
    /// <exception cref="GgufException">The file has no tokenizer, or one that does not fit the model.</exception>
    public static ModelTokenizer Load(GgufFile file, int vocabularySize) => new(file, vocabularySize);

    /// <summary>
    /// The tokens of a prompt, at least one: <see cref="Bos"/> before it where the metadata say so, or where nothing else is
    /// there; where they do not say, what the tokenizer's <c>post_processor</c> puts around a text.
    /// </summary>
    /// <exception cref="ModelException">The prompt is empty and the model has no token that begins a text.</exception>
    public int[] EncodePrompt(string prompt)
    {
        var tokens = Tokenizer.Encode(prompt, addSpecialTokens: _addBos is null);
        if (Bos is { } bos && (_addBos == true || tokens.Length == 0))
            return [bos, .. tokens];
        return tokens.Length > 0 ? tokens : throw new ModelException($"{_path}: the model has no token that begins a text; give it a prompt");
    }

    private static Tokenizer ReadTokenizer(GgufFile file)
    {
        if (!file.TryGet(TokenizerKey, out string? json))
            throw new GgufException(file.Path, $"has no tokenizer (metadata '{TokenizerKey}'), so it takes no text; convert the model again with its tokenizer.json beside it");
        try
        {
            return Tokenizer.Parse(Encoding.UTF8.GetBytes(json));
        }
        catch (TokenizerException e)
        {
            throw new GgufException(file.Path, $"metadata '{TokenizerKey}': {e.Message}", e);
        }
    }

    private static int? ReadToken(GgufFile file, string key, int vocabularySize)
    {
        if (!file.TryGet(key, out uint id))
            return null;
        return id < (uint)vocabularySize
            ? (int)id
            : throw new GgufException(file.Path, string.Create(CultureInfo.InvariantCulture, $"metadata '{key}' is {id}, outside the vocabulary of {vocabularySize}; convert the model again"));
    }
}
