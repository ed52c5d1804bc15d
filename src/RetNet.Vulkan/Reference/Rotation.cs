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
    /// <param name="tape">Records the way back, which is the rotation by −n·θᵢ.</param>
    public static double[] Apply(double[] x, int heads, IReadOnlyList<float> angles, long position, double scale, Tape? tape = null)
    {
        var y = HeadLayout.Split(x, heads, 2 * angles.Count, tape);
        var rotated = Turn(y, heads, angles, position, scale, 1);
        tape?.Record(rotated, gradient => tape.Add(y, Turn(gradient, heads, angles, position, scale, -1)));
        return rotated;
    }

    private static double[] Turn(double[] x, int heads, IReadOnlyList<float> angles, long position, double scale, int direction)
    {
        var size = 2 * angles.Count;
        var length = x.Length / (heads * size);
        var y = new double[x.Length];
        for (var token = 0; token < length; token++)
        {
            for (var i = 0; i < angles.Count; i++)
            {
                // Exact: a position below 2^29 times a float fits a double. SinCos then reduces it exactly.
                var (sin, cos) = Math.SinCos(direction * (position + token) * (double)angles[i]);
                for (var head = 0; head < heads; head++)
                {
                    var at = (head * length + token) * size + 2 * i;
                    y[at] = scale * (x[at] * cos - x[at + 1] * sin);
                    y[at + 1] = scale * (x[at + 1] * cos + x[at] * sin);
                }
            }
        }

        return y;
    }
}
