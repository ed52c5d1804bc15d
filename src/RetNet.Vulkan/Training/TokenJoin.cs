using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Training;

/// <summary>Documents one after the other with a separator before, between and after them, never two of them in a row.</summary>
internal sealed class TokenJoin(int? separator)
{
    private readonly List<int> _tokens = [];

    /// <summary>Whether anything but separators was added.</summary>
    public bool HasText { get; private set; }

    public void Add(ReadOnlySpan<int> tokens)
    {
        HasText |= separator is { } token ? tokens.ContainsAnyExcept(token) : !tokens.IsEmpty;
        if (tokens.IsEmpty)
            return;
        Separate(tokens[0]);
        CollectionsMarshal.SetCount(_tokens, checked(_tokens.Count + tokens.Length));
        tokens.CopyTo(CollectionsMarshal.AsSpan(_tokens)[^tokens.Length..]);
        Separate(next: null);
    }

    public int[] ToArray() => [.. _tokens];

    private void Separate(int? next)
    {
        if (separator is { } token && next != token && (_tokens.Count == 0 || _tokens[^1] != token))
            _tokens.Add(token);
    }
}
