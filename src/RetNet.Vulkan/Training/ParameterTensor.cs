namespace RetNet.Vulkan.Training;

/// <summary>A tensor of a <see cref="ParameterSet"/>: rows of f32, each padded with zeros to <see cref="Stride"/>.</summary>
public sealed class ParameterTensor
{
    internal ParameterTensor(ParameterShape shape, int group, long offset, long gradientOffset)
    {
        (Shape, Group, Offset, GradientOffset) = (shape, group, offset, gradientOffset);
    }

    /// <summary>Full name in GGUF, such as <c>blk.0.attn_q.weight</c>.</summary>
    public string Name => Shape.Name;

    /// <summary>Rows of a matrix; 1 of a vector.</summary>
    public int Rows => Shape.Rows;

    /// <summary>Columns of a matrix; the length of a vector.</summary>
    public int Columns => Shape.Columns;

    /// <summary>Floats from one row to the next.</summary>
    public int Stride => Shape.Stride;

    /// <summary>Whether it is a matrix.</summary>
    public bool IsMatrix => Shape.IsMatrix;

    /// <summary>Whether it has a gradient, and an optimiser changes it.</summary>
    public bool Trainable => Shape.Trainable;

    /// <summary>Whether weight decay applies to it.</summary>
    public bool Decays => Shape.Decays;

    /// <summary>Values without padding.</summary>
    public long Elements => (long)Rows * Columns;

    /// <summary>Device address of the weights, [<see cref="Rows"/>][<see cref="Stride"/>].</summary>
    public ulong Weight { get; internal set; }

    /// <summary>Device address of the gradient, likewise; 0 where it is not trained.</summary>
    public ulong Gradient { get; internal set; }

    internal ParameterShape Shape { get; }

    /// <summary>Number of its group.</summary>
    internal int Group { get; }

    /// <summary>First float in the group's weights.</summary>
    internal long Offset { get; }

    /// <summary>First float in the group's gradients and moments, where only trained tensors are.</summary>
    internal long GradientOffset { get; }

    /// <summary>Floats that it takes, padding included but that behind a vector.</summary>
    internal long Floats => IsMatrix ? (long)Rows * Stride : Columns;
}
