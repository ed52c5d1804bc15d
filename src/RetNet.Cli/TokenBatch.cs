using System.Globalization;
using RetNet.Converter;

namespace RetNet.Cli;

/// <summary>Sequences of token numbers, all of one length.</summary>
/// <param name="Sequences">The sequences, one at least.</param>
/// <param name="IsBatch">Whether they were given as a batch, which results then are too.</param>
internal sealed record TokenBatch(int[][] Sequences, bool IsBatch)
{
    private const string IdsName = "ids";

    /// <summary>Tokens of each sequence.</summary>
    public int Length => Sequences[0].Length;

    /// <summary>A comma-separated list, or the file of that name.</summary>
    /// <exception cref="CommandException">It is neither, or holds no tokens.</exception>
    public static TokenBatch Parse(string tokens) => File.Exists(tokens) ? Read(tokens) : new([ParseList(tokens)], IsBatch: false);

    /// <summary>The shape of a result that has <paramref name="each"/> for every sequence.</summary>
    public IReadOnlyList<long> Shape(IEnumerable<int> each) => [.. IsBatch ? [Sequences.Length] : Array.Empty<long>(), .. each.Select(n => (long)n)];

    private static int[] ParseList(string tokens) =>
        [.. tokens.Split(',').Select(token => int.TryParse(token.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw new CommandException($"--tokens: '{token}' is no token number, and '{tokens}' no file; give numbers separated by commas, or a safetensors file"))];

    private static TokenBatch Read(string path)
    {
        using var file = WeightFile.Open(path);
        if (!file.Tensors.TryGetValue(IdsName, out var ids))
            throw new CommandException($"{path}: has no tensor '{IdsName}'");
        if (ids.Shape is not ([> 0] or [> 0, > 0]))
            throw new CommandException($"{path}: '{IdsName}' is of shape [{string.Join(", ", ids.Shape)}]; it must be [T] or [B, T]");
        var length = (int)ids.Shape[^1];
        return new([.. ids.ReadIntegers().Chunk(length).Select(row => row.Select(id => ToToken(path, id)).ToArray())], ids.Shape.Count == 2);
    }

    private static int ToToken(string path, long id) => id is >= 0 and <= int.MaxValue ? (int)id : throw new CommandException($"{path}: '{IdsName}' has {id}, which is no token");
}
