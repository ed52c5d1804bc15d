using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Training;

/// <summary>Documents one after the other, each between the tokens that begin and end one; where these are the same, one of them stands between two documents.</summary>
internal sealed class TokenJoin(int? begin, int? end)
{
    private readonly List<int> _tokens = [];

    public int Count => _tokens.Count;

    /// <summary>Adds a document, which may begin with what begins one.</summary>
    public void Add(ReadOnlySpan<int> document)
    {
        if (document.IsEmpty)
            return;
        if (begin is { } first && document[0] != first && (_tokens.Count == 0 || _tokens[^1] != first))
            _tokens.Add(first);
        CollectionsMarshal.SetCount(_tokens, checked(_tokens.Count + document.Length));
        document.CopyTo(CollectionsMarshal.AsSpan(_tokens)[^document.Length..]);
        if (end is { } last)
            _tokens.Add(last);
    }

    public int[] ToArray() => [.. _tokens];
}
