using System.Globalization;
using System.Text;
using System.Text.Json;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Text;

namespace RetNet.Converter;

/// <summary>
/// The tokenizer beside a checkpoint as GGUF metadata: tokenizer.json whole, which is what the runtime reads, and for
/// BPE of byte-level (ggml's gpt2) or with byte fallback (llama) also the <c>tokenizer.ggml.*</c> arrays that other
/// GGUF tools read (ggml docs/gguf.md, "GGML").
/// </summary>
public sealed class CheckpointTokenizer : IDisposable
{
    private const string TokenizerFile = "tokenizer.json";
    private const string ConfigFile = "tokenizer_config.json";

    // How models name the token that ends a text, where no settings beside the tokenizer say.
    private static readonly string[] UsualEnds = ["<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>", "[EOS]"];

    private readonly JsonFile? _modelConfig;
    private readonly JsonFile? _tokenizer;
    private readonly JsonFile? _config;
    private readonly string?[] _tokens;
    private readonly TokenType[] _types;
    private readonly int? _template;
    private bool? _addBos;
    private int? _unknown;

    private CheckpointTokenizer(string tokenizerPath, JsonFile? modelConfig, int vocabularySize)
    {
        _modelConfig = modelConfig;
        _tokens = new string[vocabularySize];
        _types = new TokenType[vocabularySize];
        Array.Fill(_types, TokenType.Unused);
        try
        {
            _tokenizer = JsonFile.OpenIfThere(tokenizerPath);
            _config = JsonFile.OpenIfThere(Path.Combine(Path.GetDirectoryName(tokenizerPath)!, ConfigFile));
            if (_tokenizer is not null)
                ReadTokens(_tokenizer);
            _template = _tokenizer is null ? null : TemplateStart(_tokenizer);
            Bos = FindSpecial("bos") ?? _template;
            Eos = FindSpecial("eos");
            _addBos = _config?.Find("add_bos_token") is not null ? _config.GetBoolean("add_bos_token", false)
                : _template is not null && _template == Bos ? true
                : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    // ggml's llama_token_type.
    private enum TokenType
    {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        UserDefined = 4,
        Unused = 5,
        Byte = 6,
    }

    /// <summary>Whether there is a tokenizer.json; without one, the model takes and gives token ids only.</summary>
    public bool Exists => _tokenizer is not null;

    /// <summary>Id of the token that starts a text, if any.</summary>
    public int? Bos { get; private set; }

    /// <summary>Id of the token that ends a text, if any.</summary>
    public int? Eos { get; private set; }

    /// <summary>Whether a text is to begin with <see cref="Bos"/>.</summary>
    public bool AddBos => _addBos ?? false;

    /// <summary>Training length in tokens according to tokenizer_config.json, 0 when it says none.</summary>
    /// <remarks>Hugging Face writes 10³⁰ for "no limit".</remarks>
    public int ContextLength =>
        _config?.GetDouble("model_max_length", 0) is > 0 and <= 1 << 24 and double length ? (int)length : 0;

    /// <summary>Reads tokenizer.json and tokenizer_config.json, where they are, beside a model of <paramref name="vocabularySize"/>.</summary>
    /// <exception cref="ConverterException">A file is damaged, or the tokenizer does not fit the model.</exception>
    public static CheckpointTokenizer Read(Checkpoint checkpoint, int vocabularySize) => new(Path.Combine(checkpoint.Folder, TokenizerFile), checkpoint.Config, vocabularySize);

    /// <summary>
    /// Reads a tokenizer for a model that is yet to be made. Where neither it nor a tokenizer_config.json beside it says what ends a text,
    /// that is a token of one of the usual names; where nothing begins a text, the token that ends the one before does.
    /// </summary>
    /// <param name="path">The tokenizer.json.</param>
    /// <param name="vocabularySize">The vocabulary of the model.</param>
    /// <exception cref="ConverterException">A file is missing or damaged, or the tokenizer does not fit the model.</exception>
    public static CheckpointTokenizer ReadFile(string path, int vocabularySize)
    {
        path = Path.GetFullPath(path);
        if (!File.Exists(path))
            throw new ConverterException(path, "no such file");
        var tokenizer = new CheckpointTokenizer(path, modelConfig: null, vocabularySize);
        tokenizer.Eos ??= UsualEnds.Select(end => Array.IndexOf(tokenizer._tokens, end)).Where(id => id >= 0).Select(id => (int?)id).FirstOrDefault();
        if (tokenizer.Bos is null && tokenizer.Eos is not null)
            (tokenizer.Bos, tokenizer._addBos) = (tokenizer.Eos, true);
        return tokenizer;
    }

    /// <summary>Everything that is known, as GGUF metadata.</summary>
    public IEnumerable<KeyValuePair<string, object>> Metadata()
    {
        if (_tokenizer is not null)
        {
            foreach (var entry in Vocabulary(_tokenizer))
                yield return entry;
            yield return new("tokenizer.huggingface.json", Encoding.UTF8.GetString(_tokenizer.Bytes.Span));
        }

        if (Bos is { } bos)
            yield return new("tokenizer.ggml.bos_token_id", (uint)bos);
        if (Eos is { } eos)
            yield return new("tokenizer.ggml.eos_token_id", (uint)eos);
        if (_unknown is { } unknown)
            yield return new("tokenizer.ggml.unknown_token_id", (uint)unknown);
        if (_addBos is { } add)
            yield return new("tokenizer.ggml.add_bos_token", add);
    }

    /// <summary>Adds everything that is known to <paramref name="writer"/>.</summary>
    public void Write(GgufWriter writer)
    {
        foreach (var (key, value) in Metadata())
            writer.AddValue(key, value);
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _tokenizer?.Dispose();
        _config?.Dispose();
    }

    private IEnumerable<KeyValuePair<string, object>> Vocabulary(JsonFile file)
    {
        bool byteFallback = HasByteFallback(file);
        if (!byteFallback && !IsByteLevel(file))
            yield break;
        yield return new("tokenizer.ggml.model", byteFallback ? "llama" : "gpt2");
        // Ids without a token still have a row in the embedding: ggml wants a name and a type for each.
        yield return new("tokenizer.ggml.tokens", _tokens.Select((token, id) => token ?? string.Create(CultureInfo.InvariantCulture, $"[PAD{id}]")).ToArray());
        yield return new("tokenizer.ggml.token_type", _types.Select(type => (int)type).ToArray());
        if (byteFallback)
        {
            yield return new("tokenizer.ggml.scores", Scores(ReadMerges(file)));
            yield return new("tokenizer.ggml.add_space_prefix", AddsSpacePrefix(file));
        }
        else
        {
            yield return new("tokenizer.ggml.merges", ReadMerges(file).Select(merge => $"{merge.Left} {merge.Right}").ToArray());
        }
    }

    /// <summary>
    /// SentencePiece merges the pair of highest score where BPE merges that of lowest rank, so a token's score is minus
    /// the rank of the first merge that makes it. No merge makes a single character: those come after all merges.
    /// </summary>
    private float[] Scores(List<(string Left, string Right)> merges)
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int rank = 0; rank < merges.Count; rank++)
            ranks.TryAdd(merges[rank].Left + merges[rank].Right, rank);
        return [.. _tokens.Select((token, id) => _types[id] == TokenType.Normal ? -ranks.GetValueOrDefault(token!, merges.Count) : 0f)];
    }

    private void ReadTokens(JsonFile file)
    {
        if (file.Find("model") is not { ValueKind: JsonValueKind.Object } model)
            throw new ConverterException(file.Path, "has no 'model'");
        if (!HasText(file, model, "type", "BPE") || file.Find(model, "vocab") is not { ValueKind: JsonValueKind.Object } vocabulary)
            throw new ConverterException(file.Path, $"holds a tokenizer of type {file.Find(model, "type")?.GetRawText() ?? "none"}, only BPE is read");
        foreach (JsonProperty token in vocabulary.EnumerateObject())
            AddToken(file, token.Value, file.Name(token), TokenType.Normal);
        if (file.Find("added_tokens") is { ValueKind: JsonValueKind.Array } added)
            ReadAddedTokens(file, added);
        MarkBytes(file);
        MarkUnknown(file, model);
    }

    private void ReadAddedTokens(JsonFile file, JsonElement added)
    {
        foreach (JsonElement token in added.EnumerateArray())
        {
            if (file.Find(token, "id") is not { } id || file.Find(token, "content") is not { ValueKind: JsonValueKind.String } content)
                throw file.Wrong("added_tokens", token, "an object with 'id' and 'content'");
            bool special = file.Find(token, "special") is { ValueKind: JsonValueKind.True };
            AddToken(file, id, file.Text("content", content), special ? TokenType.Control : TokenType.UserDefined);
        }
    }

    /// <summary>Tokens that name bytes are that, even where a file lists them as special.</summary>
    private void MarkBytes(JsonFile file)
    {
        if (!HasByteFallback(file))
            return;
        for (int id = 0; id < _tokens.Length; id++)
        {
            if (_tokens[id] is { } token && ByteTokens.ByteOf(token) is not null)
                _types[id] = TokenType.Byte;
        }
    }

    private void MarkUnknown(JsonFile file, JsonElement model)
    {
        if (file.Find(model, "unk_token") is not { ValueKind: JsonValueKind.String } token || Array.IndexOf(_tokens, file.Text("unk_token", token)) is not (>= 0 and int id))
            return;
        _unknown = id;
        _types[id] = TokenType.Unknown;
    }

    private void AddToken(JsonFile file, JsonElement id, string text, TokenType type)
    {
        if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out int index) || index < 0)
            throw file.Wrong(text, id, "a token id");
        if (index >= _tokens.Length)
            throw new ConverterException(file.Path, $"gives the token '{text}' the id {index}, but the model has {_tokens.Length} tokens; the tokenizer belongs to another model");
        if (_tokens[index] is { } other && other != text)
            throw new ConverterException(file.Path, $"gives the id {index} to '{other}' and to '{text}'");
        (_tokens[index], _types[index]) = (text, type);
    }

    private static List<(string Left, string Right)> ReadMerges(JsonFile file)
    {
        var merges = new List<(string, string)>();
        if (file.Find(file.Root.GetProperty("model"), "merges") is not { ValueKind: JsonValueKind.Array } list)
            throw new ConverterException(file.Path, "has no 'merges'");
        foreach (JsonElement merge in list.EnumerateArray())
        {
            // Since tokenizers 0.20 a pair of strings, before that one string with a space.
            merges.Add(merge.ValueKind switch
            {
                JsonValueKind.String when file.Text("merges", merge).Split(' ') is [string left, string right] => (left, right),
                JsonValueKind.Array when merge.GetArrayLength() == 2 && merge.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String)
                    => (file.Text("merges", merge[0]), file.Text("merges", merge[1])),
                _ => throw file.Wrong("merges", merge, "two tokens"),
            });
        }

        return merges;
    }

    private int? FindSpecial(string which)
    {
        string key = $"{which}_token";
        if (_tokenizer is not null && _config?.Find(key) is { } token)
        {
            JsonElement content = _config.Find(token, "content") ?? token;
            string text = content.ValueKind == JsonValueKind.String ? _config.Text(key, content) : throw _config.Wrong(key, token, "a token");
            int index = Array.IndexOf(_tokens, text);
            return index >= 0 ? index : throw _config.Wrong(key, token, $"a token of {TokenizerFile}");
        }

        int id = _modelConfig?.GetInt32($"{which}_token_id", -1) ?? -1;
        if (id >= _tokens.Length)
            throw new ConverterException(_modelConfig!.Path, $"'{which}_token_id' is {id}, but the model has {_tokens.Length} tokens");
        return id >= 0 ? id : null;
    }

    /// <summary>The token that <c>post_processor</c> puts before a single text, if it puts one there.</summary>
    private int? TemplateStart(JsonFile file)
    {
        foreach (JsonElement processor in WithParts(file, "post_processor", "processors"))
        {
            if (HasText(file, processor, "type", "TemplateProcessing")
                && file.Find(processor, "single") is { ValueKind: JsonValueKind.Array } single
                && single.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first
                && file.Find(first, "SpecialToken") is { } special
                && file.Find(special, "id") is { ValueKind: JsonValueKind.String } id
                && Array.IndexOf(_tokens, file.Text("post_processor", id)) is >= 0 and int token)
            {
                return token;
            }
        }

        return null;
    }

    /// <summary>Whether characters outside the vocabulary fall back to bytes: what ggml calls llama.</summary>
    private static bool HasByteFallback(JsonFile file) =>
        file.Find("model") is { } model && file.Find(model, "byte_fallback") is { ValueKind: JsonValueKind.True };

    /// <summary>Whether the pre-tokenizer, or a part of it, is byte-level: what ggml calls gpt2.</summary>
    private static bool IsByteLevel(JsonFile file) =>
        WithParts(file, "pre_tokenizer", "pretokenizers").Any(part => HasText(file, part, "type", "ByteLevel"));

    /// <summary>Whether a text is given a space to begin with, by the normaliser or the pre-tokenizer.</summary>
    private static bool AddsSpacePrefix(JsonFile file) =>
        WithParts(file, "normalizer", "normalizers").Any(part => HasText(file, part, "type", "Prepend"))
        || WithParts(file, "pre_tokenizer", "pretokenizers").Any(part => HasText(file, part, "type", "Metaspace")
            && !HasText(file, part, "prepend_scheme", "never")
            && file.Find(part, "add_prefix_space") is not { ValueKind: JsonValueKind.False });

    /// <summary>A component and, where it is a sequence, its parts.</summary>
    private static IEnumerable<JsonElement> WithParts(JsonFile file, string key, string partsKey)
    {
        if (file.Find(key) is not { } component)
            return [];
        return file.Find(component, partsKey) is { ValueKind: JsonValueKind.Array } parts ? [component, .. parts.EnumerateArray()] : [component];
    }

    private static bool HasText(JsonFile file, JsonElement part, string key, string text) =>
        file.Find(part, key) is { ValueKind: JsonValueKind.String } value && file.Text(key, value) == text;
}
