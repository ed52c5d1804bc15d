namespace RetNet.Vulkan.Reference;

/// <summary>Rotary position: the pair (2i, 2i+1) of every head turns by n·θᵢ at position n.</summary>
internal static class Rotation
{
    /// <summary>Scales and rotates [T, heads·dk] and returns it head by head, [heads, T, dk].</summary>
    /// <param name="x">Queries or keys as projected.</param>
    /// <param name="heads">Number of heads in a row.</param>
    /// <param name="angles">θ, dk/2 values, in radians a token.</param>
    /// <param name="position">Absolute position of the first row.</param>
    /// <param name="scale">Factor on every value.</param>
    public static double[] Apply(double[] x, int heads, IReadOnlyList<float> angles, long position, double scale)
    {
        var size = 2 * angles.Count;
        var length = x.Length / (heads * size);
        var y = new double[x.Length];
        for (var token = 0; token < length; token++)
        {
            for (var i = 0; i < angles.Count; i++)
            {
                // Exact: a position below 2^29 times a float fits a double. SinCos then reduces it exactly.
                var (sin, cos) = Math.SinCos((position + token) * (double)angles[i]);
                for (var head = 0; head < heads; head++)
                {
                    var from = (token * heads + head) * size + 2 * i;
                    var to = (head * length + token) * size + 2 * i;
                    y[to] = scale * (x[from] * cos - x[from + 1] * sin);
                    y[to + 1] = scale * (x[from + 1] * cos + x[from] * sin);
                }
            }
        }

        return y;
    }
}
