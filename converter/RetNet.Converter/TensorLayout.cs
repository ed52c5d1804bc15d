namespace RetNet.Converter;

/// <summary>Where the elements of a tensor lie: element (i, j, …) is <c>Start + i·stride₀ + j·stride₁ + …</c> elements into its storage, as in PyTorch.</summary>
internal sealed class TensorLayout
{
    private readonly long[] _sizes;
    private readonly long[] _strides;

    /// <summary>A layout of the given dimensions, outermost first.</summary>
    /// <param name="start">The first element.</param>
    /// <param name="sizes">Size of each dimension; their product fits a <see cref="long"/>.</param>
    /// <param name="strides">Elements between neighbours of each dimension.</param>
    public TensorLayout(long start, IReadOnlyList<long> sizes, IReadOnlyList<long> strides)
    {
        Start = start;
        Elements = Product(sizes);
        (_sizes, _strides) = Merge(sizes, strides);
    }

    /// <summary>The first element.</summary>
    public long Start { get; }

    /// <summary>Number of elements.</summary>
    public long Elements { get; }

    /// <summary>Whether the elements lie one after the other.</summary>
    public bool IsContiguous => _sizes.Length == 0 || (_sizes.Length == 1 && _strides[0] == 1);

    /// <summary>Rows one after the other from the start.</summary>
    public static TensorLayout Contiguous(IReadOnlyList<long> shape) => new(0, shape, Strides(shape));

    /// <summary>Where the element of the flat index <paramref name="index"/> lies, and how many from it on lie one after the other.</summary>
    public (long Position, long Run) Locate(long index)
    {
        long position = Start;
        long run = 1;
        for (int i = _sizes.Length - 1; i >= 0; i--)
        {
            (index, long at) = Math.DivRem(index, _sizes[i]);
            position += at * _strides[i];
            if (i == _sizes.Length - 1 && _strides[i] == 1)
                run = _sizes[i] - at;
        }

        return (position, run);
    }

    /// <summary>The elements of some rows; <paramref name="shape"/> is this layout's as it was made.</summary>
    public TensorLayout Slice(IReadOnlyList<long> shape, long firstRow, long rows)
    {
        long[] strides = StridesAs(shape);
        return new(Start + firstRow * strides[0], [rows, .. shape.Skip(1)], strides);
    }

    /// <summary>Two dimensions of <paramref name="shape"/>, of as many elements as this layout, exchanged.</summary>
    public TensorLayout Transpose(IReadOnlyList<long> shape, int first, int second)
    {
        long[] sizes = [.. shape];
        long[] strides = StridesAs(shape);
        (sizes[first], sizes[second]) = (sizes[second], sizes[first]);
        (strides[first], strides[second]) = (strides[second], strides[first]);
        return new(Start, sizes, strides);
    }

    /// <summary>Strides of another shape over the same elements: each of its dimensions must lie inside one of the merged ones.</summary>
    private long[] StridesAs(IReadOnlyList<long> shape)
    {
        var strides = new long[shape.Count];
        int merged = _sizes.Length - 1;
        long inner = 1;
        for (int i = shape.Count - 1; i >= 0; i--)
        {
            if (shape[i] == 1)
                continue;
            if (inner == _sizes[merged])
                (merged, inner) = (merged - 1, 1);
            strides[i] = _strides[merged] * inner;
            inner *= shape[i];
            if (inner > _sizes[merged])
                throw new ArgumentException("a dimension spans elements that lie apart", nameof(shape));
        }

        return strides;
    }

    private static long[] Strides(IReadOnlyList<long> shape)
    {
        var strides = new long[shape.Count];
        long stride = 1;
        for (int i = shape.Count - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride = checked(stride * shape[i]);
        }

        return strides;
    }

    /// <summary>Makes one dimension of neighbours that continue each other and drops those of size 1.</summary>
    private static (long[] Sizes, long[] Strides) Merge(IReadOnlyList<long> sizes, IReadOnlyList<long> strides)
    {
        var mergedSizes = new List<long>();
        var mergedStrides = new List<long>();
        for (int i = 0; i < sizes.Count; i++)
        {
            if (sizes[i] == 1)
                continue;
            if (mergedSizes.Count > 0 && mergedStrides[^1] == sizes[i] * strides[i])
            {
                mergedSizes[^1] *= sizes[i];
                mergedStrides[^1] = strides[i];
            }
            else
            {
                mergedSizes.Add(sizes[i]);
                mergedStrides.Add(strides[i]);
            }
        }

        return ([.. mergedSizes], [.. mergedStrides]);
    }

    private static long Product(IReadOnlyList<long> sizes) => sizes.Aggregate(1L, (product, size) => checked(product * size));
}
