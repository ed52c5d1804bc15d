namespace RetNet.Vulkan.Model;

/// <summary>
/// Where the rows of a matrix lie on the device: in groups of <paramref name="Interleave"/>, the last one padded. A group of
/// a gated unit has as many rows of its first half as of its second, so that whoever takes a group has both rows of an output.
/// </summary>
/// <param name="Rows">Rows of the matrix, its halves together.</param>
/// <param name="Interleave">Rows of a group; 1 where every row lies alone, which keeps their order.</param>
/// <param name="Halves">2 for a gated unit, else 1.</param>
internal readonly record struct RowLayout(int Rows, int Interleave, int Halves)
{
    /// <summary>Groups of the matrix.</summary>
    public int Groups => Interleave == 1 ? Rows : (HalfRows + Share - 1) / Share;

    private int HalfRows => Rows / Halves;

    /// <summary>Rows of a half in a group.</summary>
    private int Share => Interleave / Halves;

    /// <summary>The row in a group's slot; null for padding.</summary>
    public int? RowAt(int group, int slot)
    {
        if (Interleave == 1)
            return group;
        var row = group * Share + slot % Share;
        return row < HalfRows ? slot / Share * HalfRows + row : null;
    }
}
