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
    }

    /// <summary>Whether a word that is itself a token is taken whole, whatever the merges make of it.</summary>
    public bool IgnoreMerges { get; init; }

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
        var symbols = new Symbol[word.Length];
        var count = 0;
        var afterUnknown = false;
        for (var i = 0; i < word.Length;)
        {
            var length = char.IsSurrogatePair(word, i) ? 2 : 1;
            var known = _idOfSpan.TryGetValue(word.AsSpan(i, length), out var id);
            if (known || (UnknownId is not null && !(afterUnknown && FuseUnknown)))
            {
                symbols[count] = new Symbol(known ? id : UnknownId!.Value, count - 1, count + 1);
                count++;
            }

            afterUnknown = !known;
            i += length;
        }

        return count == symbols.Length ? symbols : symbols[..count];
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
