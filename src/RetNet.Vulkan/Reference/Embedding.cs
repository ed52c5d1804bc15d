using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>The rows of the embedding that tokens name, scaled.</summary>
/// <param name="weight">[V, d], row-major.</param>
/// <param name="width">d.</param>
/// <param name="scale">Factor on every value.</param>
internal sealed class Embedding(float[] weight, int width, double scale)
{
    /// <summary>[T, d] of T tokens.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A token is outside the vocabulary.</exception>
    public double[] Apply(ReadOnlySpan<int> tokens, Tape? tape = null)
    {
        var ids = tokens.ToArray();
        var x = new double[ids.Length * width];
        for (var token = 0; token < ids.Length; token++)
        {
            if ((uint)ids[token] >= (uint)(weight.Length / width))
                throw new ArgumentOutOfRangeException(nameof(tokens), ids[token], $"token ids are 0 to {weight.Length / width - 1}");
            for (var i = 0; i < width; i++)
                x[token * width + i] = weight[ids[token] * width + i] * scale;
        }

        tape?.Record(x, dx =>
        {
            var gradient = tape.Gradient(weight);
            for (var token = 0; token < ids.Length; token++)
            {
                var row = gradient.AsSpan(ids[token] * width, width);
                TensorPrimitives.MultiplyAdd(dx.AsSpan(token * width, width), scale, row, row);
            }
        });
        return x;
    }
}
