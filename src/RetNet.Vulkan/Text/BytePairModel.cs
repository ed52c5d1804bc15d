using System.Text;

namespace RetNet.Vulkan.Text;

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909): the characters of a word are merged pair by
/// pair, always the pair of lowest rank and of those the leftmost.
/// </summary>
/// <remarks>Immutable, hence safe for concurrent use.</remarks>
internal sealed class BytePairModel
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idOfSpan;
    private readonly Dictionary<long, Merge> _merges = [];
    private readonly int?[] _idOfByte = new int?[ByteTokens.Count];

    /// <summary>Creates the model of a vocabulary and its merges.</summary>
    /// <param name="ids">The id of every token.</param>
    /// <param name="merges">The ids of each pair and of what it becomes, lowest rank first.</param>
    public BytePairModel(Dictionary<string, int> ids, IEnumerable<(int Left, int Right, int Merged)> merges)
    {
        _ids = ids;
        _idOfSpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var rank = 0;
        foreach (var (left, right, merged) in merges)
            _merges[Pack(left, right)] = new Merge(rank++, merged);
        for (var value = 0; value < ByteTokens.Count; value++)
            _idOfByte[value] = ids.TryGetValue(ByteTokens.Name((byte)value), out var id) ? id : null;
    }

    /// <summary>Whether a word that is itself a token is taken whole, whatever the merges make of it.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Whether a character outside the vocabulary becomes the tokens of its UTF-8 bytes, if all of them have one.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>Id of a character outside the vocabulary; null drops it, as Hugging Face does.</summary>
    public int? UnknownId { get; init; }

    /// <summary>Whether neighbouring unknown characters become one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Appends the ids of one word; O(n log n) in its length.</summary>
    public void Encode(string word, List<int> ids)
    {
        if (IgnoreMerges && _ids.TryGetValue(word, out var whole))
        {
            ids.Add(whole);
            return;
        }

        var symbols = Symbols(word);
        MergeAll(symbols);
        for (var i = 0; i < symbols.Length; i = symbols[i].Next)
            ids.Add(symbols[i].Id);
    }

    /// <summary>The word's characters as a doubly linked list in an array; -1 and Length end it.</summary>
    private Symbol[] Symbols(string word)
    {
        var ids = new List<int>(word.Length);
        int? unknown = null;
        Span<char> units = stackalloc char[2];
        foreach (var rune in word.EnumerateRunes())
        {
            if (_idOfSpan.TryGetValue(units[..rune.EncodeToUtf16(units)], out var id))
            {
                AppendUnknown(ref unknown, ids);
                ids.Add(id);
            }
            else if (!(ByteFallback && TryAppendBytes(rune, ids)))
            {
                if (!FuseUnknown)
                    AppendUnknown(ref unknown, ids);
                unknown = UnknownId;
            }
        }

        AppendUnknown(ref unknown, ids);
        var symbols = new Symbol[ids.Count];
        for (var i = 0; i < symbols.Length; i++)
            symbols[i] = new Symbol(ids[i], i - 1, i + 1);
        return symbols;
    }

    /// <summary>
    /// An unknown token waits for the next known character, as more may fuse with it; tokens of bytes do not end the
    /// wait, so they come before it (<c>BPE::merge_word</c> in huggingface/tokenizers).
    /// </summary>
    private static void AppendUnknown(ref int? unknown, List<int> ids)
    {
        if (unknown is { } id)
            ids.Add(id);
        unknown = null;
    }

    private bool TryAppendBytes(Rune rune, List<int> ids)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..rune.EncodeToUtf8(bytes)];
        foreach (var value in bytes)
        {
            if (_idOfByte[value] is null)
                return false;
        }

        foreach (var value in bytes)
            ids.Add(_idOfByte[value]!.Value);
        return true;
    }

    private void MergeAll(Symbol[] symbols)
    {
        var queue = new PriorityQueue<Candidate, long>();
        for (var i = 0; i + 1 < symbols.Length; i++)
            Propose(symbols, i, queue);

        while (queue.TryDequeue(out var candidate, out _))
        {
            if (!IsCurrent(candidate, symbols))
                continue;

            ref var left = ref symbols[candidate.Position];
            symbols[left.Next].Id = Symbol.Gone;
            left.Id = candidate.MergedId;
            left.Next = symbols[left.Next].Next;
            if (left.Next < symbols.Length)
                symbols[left.Next].Previous = candidate.Position;

            Propose(symbols, left.Previous, queue);
            Propose(symbols, candidate.Position, queue);
        }
    }

    private void Propose(Symbol[] symbols, int position, PriorityQueue<Candidate, long> queue)
    {
        if (position < 0 || symbols[position].Next >= symbols.Length)
            return;

        if (_merges.TryGetValue(Pack(symbols[position].Id, symbols[symbols[position].Next].Id), out var merge))
            queue.Enqueue(new Candidate(position, merge.Id), Pack(merge.Rank, position));
    }

    /// <summary>Whether the symbols at a candidate's position still merge to what it promised.</summary>
    private bool IsCurrent(Candidate candidate, Symbol[] symbols)
    {
        var left = symbols[candidate.Position];
        return left.Id != Symbol.Gone && left.Next < symbols.Length
            && _merges.TryGetValue(Pack(left.Id, symbols[left.Next].Id), out var merge) && merge.Id == candidate.MergedId;
    }

    /// <summary>Two numbers from 0 as one that sorts and hashes like the pair, but faster.</summary>
    private static long Pack(int high, int low) => ((long)high << 32) | (uint)low;

    private readonly record struct Merge(int Rank, int Id);

    private record struct Symbol(int Id, int Previous, int Next)
    {
        /// <summary>Id of a symbol that became part of its left neighbour.</summary>
        public const int Gone = -1;
    }

    /// <summary>A merge seen as possible; other merges may have overtaken it since.</summary>
    private readonly record struct Candidate(int Position, int MergedId);
}
