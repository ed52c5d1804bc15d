namespace RetNet.Vulkan.Training;

/// <summary>C ← scale · op(A)·op(B) + keep · C (+ bias), of matrices of f32 whose rows lie a stride apart. C is neither factor.</summary>
internal readonly record struct TrainingProduct
{
    /// <summary>What is multiplied with what.</summary>
    public required ProductForm Form { get; init; }

    /// <summary>Device address of A: [M][<see cref="AStride"/>], of <see cref="ProductForm.WeightGradient"/> [K][<see cref="AStride"/>].</summary>
    public required ulong A { get; init; }

    /// <summary>Device address of B: [K][<see cref="BStride"/>], of <see cref="ProductForm.Forward"/> [N][<see cref="BStride"/>], with finite values in its padding.</summary>
    public required ulong B { get; init; }

    /// <summary>Device address of C, [M][<see cref="CStride"/>]; nothing is written between columns and stride.</summary>
    public required ulong C { get; init; }

    /// <summary>Rows of C: tokens, of <see cref="ProductForm.WeightGradient"/> outputs.</summary>
    public required int M { get; init; }

    /// <summary>Columns of C: outputs, else inputs.</summary>
    public required int N { get; init; }

    /// <summary>What is summed over: inputs, outputs, tokens.</summary>
    public required int K { get; init; }

    /// <summary>Floats from one row of A to the next. Processors and matrix units want addresses and strides of whole 16 bytes; others take the plain kernel.</summary>
    public required int AStride { get; init; }

    /// <summary>Floats from one row of B to the next.</summary>
    public required int BStride { get; init; }

    /// <summary>Floats from one row of C to the next.</summary>
    public required int CStride { get; init; }

    /// <summary>Factor on the sums.</summary>
    public float Scale { get; init; } = 1;

    /// <summary>Factor on what C held: 0 (it may hold anything), 1 to add to it, DeepNorm's α.</summary>
    public float Keep { get; init; }

    /// <summary>Device address of a bias that is added to each row of C, [N]; 0 for none.</summary>
    public ulong Bias { get; init; }

    public TrainingProduct()
    {
    }
}
