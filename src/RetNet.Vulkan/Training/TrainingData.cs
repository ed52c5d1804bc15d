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
    /// Reads UTF-8 text. Every file is a document, or several where the separator's own spelling (<c>&lt;|endoftext|&gt;</c>, say)
    /// stands in it; a separator stands before, between and after documents.
    /// </summary>
    /// <param name="files">Text to train on.</param>
    /// <param name="validationFile">Text to validate with, all of it.</param>
    /// <param name="validationShare">Without such a file: the share of each file, at its end and from a document's beginning where it has several, that is held out; from 0 to below 1.</param>
    /// <param name="tokenizer">Text to tokens.</param>
    /// <param name="separator">The token that ends a document; null puts nothing between documents.</param>
    /// <param name="length">Tokens that a window reads, T.</param>
    /// <param name="vocabulary">Tokens that the model knows.</param>
    /// <exception cref="TrainingException">A file cannot be read, there is nothing to foretell, or a token is outside the vocabulary.</exception>
    public static TrainingData Read(
        IReadOnlyList<string> files, string? validationFile, double validationShare, Tokenizer tokenizer, int? separator, int length, int vocabulary)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var (training, validation) = (new TokenJoin(separator), new TokenJoin(separator));
        foreach (var file in files)
        {
            var tokens = tokenizer.Encode(ReadText(file));
            var cut = validationFile is null ? Cut(tokens, validationShare, separator) : tokens.Length;
            training.Add(tokens.AsSpan(0, cut));
            validation.Add(tokens.AsSpan(cut));
        }

        if (validationFile is not null)
            validation.Add(tokenizer.Encode(ReadText(validationFile)));
        return training.HasText
            ? new(training.ToArray(), validation.ToArray(), length, vocabulary)
            : throw new TrainingException($"{string.Join(", ", files)}: there is no text to train on");
    }

    private static int Cut(ReadOnlySpan<int> tokens, double share, int? separator)
    {
        var cut = tokens.Length - (int)Math.Round(share * tokens.Length);
        // The document that the cut goes through stays whole, unless nothing were held out then.
        var next = separator is { } token ? tokens[cut..].IndexOf(token) : -1;
        return next >= 0 && tokens[(cut + next)..].ContainsAnyExcept(separator!.Value) ? cut + next : cut;
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
