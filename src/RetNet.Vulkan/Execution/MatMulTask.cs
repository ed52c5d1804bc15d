using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>A product of many tokens with a matrix: Y[token][row] from X[token]·W[row].</summary>
internal readonly record struct MatMulTask
{
    /// <summary>The matrix, and the bias where it has one.</summary>
    public required DeviceMatrix Matrix { get; init; }

    /// <summary>Device address of the inputs, [tokens][<see cref="XStride"/>]: f32 for <see cref="MatMulKind.Tile"/>, f16 for the others.</summary>
    public required ulong X { get; init; }

    /// <summary>Elements from one input to the next, a multiple of 64; zero between the columns and theirs.</summary>
    public required int XStride { get; init; }

    /// <summary>Device address of the outputs, [tokens][<see cref="YStride"/>].</summary>
    public required ulong Y { get; init; }

    /// <summary>Elements from one output to the next.</summary>
    public required int YStride { get; init; }

    /// <summary>Tokens.</summary>
    public required int Tokens { get; init; }

    /// <summary>What becomes of the product.</summary>
    public required ProductOutput Output { get; init; }

    /// <summary>Whether the outputs are stored as f16; not together with <see cref="ProductOutput.AddResidual"/>, nor by <see cref="MatMulKind.Tile"/>.</summary>
    public bool HalfOutput { get; init; }

    /// <summary>For <see cref="ProductOutput.GatedUnit"/> and <see cref="ProductOutput.Activate"/>.</summary>
    public Activation Activation { get; init; }

    /// <summary>α of <see cref="ProductOutput.AddResidual"/>.</summary>
    public float ResidualScale { get; init; }

    /// <summary>
    /// Of a product by <see cref="MatMulKind.SubgroupMatrix"/> whose inputs are what <see cref="OutputNorm"/> of the product before left: elements of one of
    /// them and the norm's ε. The product finishes the norm.
    /// </summary>
    public (int Width, float Eps)? NormedInput { get; init; }

    /// <summary>
    /// Of a product by <see cref="MatMulKind.SubgroupMatrix"/> that finishes the head norm of retention's f16 outputs: device address of Σo² of each token, head and
    /// tile, tiles a head, heads, and columns of each, a multiple of a tile's depth; not of a gated unit.
    /// </summary>
    public (ulong Squares, int Tiles, int Heads, int HeadSize)? HeadNormedInput { get; init; }

    /// <summary>
    /// Of an <see cref="ProductOutput.AddResidual"/> by <see cref="MatMulKind.SubgroupMatrix"/> that an RMSNorm follows: device addresses of its weight and of
    /// what products with <see cref="NormedInput"/> take, [tokens][<see cref="YStride"/>] in f16.
    /// </summary>
    public (ulong Weight, ulong Normed)? OutputNorm { get; init; }

    /// <summary>Whether a kernel of a chain waits for the outputs (<see cref="DispatchChain"/>), which are f32; of products by <see cref="MatMulKind.SubgroupMatrix"/>.</summary>
    public bool Chained { get; init; }

    /// <summary>2 for a gated unit, else 1.</summary>
    public uint Halves => Output == ProductOutput.GatedUnit ? 2u : 1;

    /// <summary>Rows of the result.</summary>
    public uint Rows => (uint)Matrix.Rows / Halves;

    /// <summary>Columns of the matrix, padding included.</summary>
    public uint PaddedColumns => (uint)WeightStore.PaddedLength(Matrix.Columns);
}
