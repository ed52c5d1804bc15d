using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Training;

/// <summary>The tokens that a model is trained on, and those held out to validate it. Immutable.</summary>
public sealed class TrainingData
{
    /// <param name="training">Tokens to train on.</param>
    /// <param name="validation">Tokens held out; may be empty.</param>
    /// <param name="length">Tokens that a window reads, T.</param>
    /// <param name="vocabulary">Tokens that the model knows.</param>
    /// <exception cref="TrainingException">There is nothing to foretell, or a token is outside the vocabulary.</exception>
    public TrainingData(int[] training, int[] validation, int length, int vocabulary)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(validation);
        if (training.Length < 2)
            throw new TrainingException(Invariant($"the text to train on has {training.Length} tokens, and at least two are needed to foretell one from another"));
        RequireKnown(training, vocabulary);
        RequireKnown(validation, vocabulary);
        (Training, Validation) = (new(training, length), new(validation, length));
        Fingerprint = Hash(training, validation, length);
    }

    /// <summary>What is trained on.</summary>
    public PackedTokens Training { get; }

    /// <summary>What is held out; without windows where nothing is.</summary>
    public PackedTokens Validation { get; }

    /// <summary>SHA-256 of all tokens, the division between the two and the length of a window, as hexadecimal digits.</summary>
    public string Fingerprint { get; }

    /// <summary>
    /// Reads UTF-8 text. Every file is a document, or several where the spelling of the token that ends one
    /// (<c>&lt;|endoftext|&gt;</c>, say) stands in it.
    /// </summary>
    /// <param name="files">Text to train on.</param>
    /// <param name="validationFile">Text to validate with, all of it.</param>
    /// <param name="validationShare">Without such a file: the share of each file, its last documents or the end of its only one, that is held out; from 0 to below 1.</param>
    /// <param name="tokenizer">Text to tokens.</param>
    /// <param name="begin">The token that begins a document, if one does.</param>
    /// <param name="end">The token that ends a document, if one does.</param>
    /// <param name="length">Tokens that a window reads, T.</param>
    /// <param name="vocabulary">Tokens that the model knows.</param>
    /// <exception cref="TrainingException">A file cannot be read, there is nothing to foretell, or a token is outside the vocabulary.</exception>
    public static TrainingData Read(
        IReadOnlyList<string> files, string? validationFile, double validationShare, Tokenizer tokenizer, int? begin, int? end, int length, int vocabulary)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var (training, validation) = (new TokenJoin(begin, end), new TokenJoin(begin, end));
        foreach (var file in files)
        {
            var tokens = tokenizer.Encode(ReadText(file));
            Divide(tokens, end, validationFile is null ? validationShare : 0, training, validation);
        }

        if (validationFile is not null)
        {
            Divide(tokenizer.Encode(ReadText(validationFile)), end, 0, validation, training);
            if (validation.Count < 2)
                throw new TrainingException($"{validationFile}: there is no text to validate with");
        }

        return training.Count > 0
            ? new(training.ToArray(), validation.ToArray(), length, vocabulary)
            : throw new TrainingException($"{string.Join(", ", files)}: there is no text to train on");
    }

    /// <summary>Gives each document of a file to one of two; a file of one document is cut.</summary>
    private static void Divide(ReadOnlySpan<int> tokens, int? end, double share, TokenJoin first, TokenJoin second)
    {
        var cut = tokens.Length - (int)Math.Round(share * tokens.Length);
        var documents = Documents(tokens, end);
        if (documents.Count == 1 && cut < tokens.Length)
            documents = [new(documents[0].Start, Math.Min(cut, documents[0].End.Value)), new(Math.Min(cut, documents[0].End.Value), documents[0].End)];
        for (var i = 0; i < documents.Count; i++)
            (i > 0 && documents[i].End.Value > cut ? second : first).Add(tokens[documents[i]]);
    }

    private static List<Range> Documents(ReadOnlySpan<int> tokens, int? end)
    {
        if (end is not { } token)
            return tokens.IsEmpty ? [] : [new(0, tokens.Length)];
        var documents = new List<Range>();
        foreach (var document in tokens.Split(token))
            if (document.End.Value > document.Start.Value)
                documents.Add(document);
        return documents;
    }

    private static string ReadText(string path)
    {
        if (Directory.Exists(path))
            throw new TrainingException($"{path}: is a directory, not a text file");
        try
        {
            return File.ReadAllText(path, Encoding.UTF8);
        }
        catch (FileNotFoundException e)
        {
            throw new TrainingException($"{path}: no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            throw new TrainingException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static void RequireKnown(ReadOnlySpan<int> tokens, int vocabulary)
    {
        foreach (var token in tokens)
            if ((uint)token >= (uint)vocabulary)
                throw new TrainingException(Invariant($"token {token} of the text is outside the model's vocabulary of {vocabulary}; the tokenizer is not the model's"));
    }

    private static string Hash(int[] training, int[] validation, int length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ReadOnlySpan<int> sizes = [training.Length, validation.Length, length];
        hash.AppendData(MemoryMarshal.AsBytes(sizes));
        hash.AppendData(MemoryMarshal.AsBytes<int>(training));
        hash.AppendData(MemoryMarshal.AsBytes<int>(validation));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
