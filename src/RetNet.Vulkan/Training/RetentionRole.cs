namespace RetNet.Vulkan.Training;

/// <summary>Which retention is computed: that of the forward pass, or one of the three that its gradients are (docs/training-step.md).</summary>
/// <param name="Heads">Heads, each with its own decay and output.</param>
/// <param name="KeySize">Columns of a query and of a key.</param>
/// <param name="ValueSize">Columns of a value and of an output.</param>
/// <param name="QueryGroup">Heads that share queries.</param>
/// <param name="Group">Heads that share keys and values.</param>
/// <param name="Reverse">Whether time runs backwards.</param>
/// <param name="Chunked">Whether a sequence has several chunks; else there are no states.</param>
/// <param name="SumScores">Whether Σ|score| is written too.</param>
internal readonly record struct RetentionRole(int Heads, int KeySize, int ValueSize, int QueryGroup, int Group, bool Reverse, bool Chunked, bool SumScores = false)
{
    /// <summary>Groups of four value columns a row of the state has.</summary>
    public int ValueVectors => (ValueSize + 3) / 4;

    /// <summary>Floats of the state that a chunk begins with.</summary>
    public long StateFloats => (long)Heads * KeySize * ValueVectors * 4;
}
