namespace RetNet.Vulkan.Reference;

/// <summary>Values of all heads, token by token or head by head.</summary>
internal static class HeadLayout
{
    /// <summary>[T, heads · size] to [heads, T, size].</summary>
    public static double[] Split(double[] x, int heads, int size, Tape? tape)
    {
        var y = Exchange(x, x.Length / (heads * size), heads, size);
        tape?.Record(y, dy => tape.Add(x, Exchange(dy, heads, x.Length / (heads * size), size)));
        return y;
    }

    /// <summary>[heads, T, size] to [T, heads · size].</summary>
    public static double[] Join(double[] x, int heads, int size, Tape? tape)
    {
        var y = Exchange(x, heads, x.Length / (heads * size), size);
        tape?.Record(y, dy => tape.Add(x, Exchange(dy, x.Length / (heads * size), heads, size)));
        return y;
    }

    /// <summary>[rows, columns, size] to [columns, rows, size].</summary>
    private static double[] Exchange(ReadOnlySpan<double> x, int rows, int columns, int size)
    {
        var y = new double[x.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                x.Slice((row * columns + column) * size, size).CopyTo(y.AsSpan((column * rows + row) * size));
        }

        return y;
    }
}
