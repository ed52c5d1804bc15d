using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>A tensor that is to be placed in a <see cref="ParameterSet"/>.</summary>
/// <param name="Name">Its full name in GGUF.</param>
/// <param name="Rows">Rows of a matrix, one an output; 1 of a vector.</param>
/// <param name="Columns">Columns of a matrix, one an input; the length of a vector.</param>
public sealed record ParameterShape(string Name, int Rows, int Columns)
{
    /// <summary>Whether it is a matrix.</summary>
    public bool IsMatrix { get; init; } = true;

    /// <summary>Whether it has a gradient, and an optimiser changes it.</summary>
    public bool Trainable { get; init; } = true;

    /// <summary>Whether weight decay applies to it. The rule of practice: to matrices, not to norms and biases.</summary>
    public bool Decays { get; init; } = true;

    /// <summary>Of a vector: whether it begins where the one before ends, so that both are one. Matrices always do.</summary>
    public bool Joined { get; init; }

    /// <summary>Floats from one row to the next: columns, padded with zeros to a multiple of 64.</summary>
    public int Stride => WeightStore.PaddedLength(Columns);
}
