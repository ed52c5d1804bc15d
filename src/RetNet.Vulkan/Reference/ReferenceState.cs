using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Reference;

/// <summary>The retention state of one sequence after <see cref="Position"/> tokens.</summary>
/// <remarks>
/// For every layer and head S_n = Σ_{m≤n} γ^(n−m) k̂_m v_mᵀ, un-normalised, with the keys scaled by dk^−½ and rotated
/// by their absolute position. torchscale's <c>prev_key_value</c> is its transpose divided by √S_n.
/// </remarks>
public sealed class ReferenceState
{
    private readonly double[][] _layers;

    /// <summary>Creates the state before the first token: all zeros.</summary>
    public ReferenceState(RetNetConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _layers = new double[config.Layers][];
        for (var layer = 0; layer < _layers.Length; layer++)
            _layers[layer] = new double[checked(config.Heads * config.KeySize * config.ValueSize)];
    }

    private ReferenceState(ReferenceState other)
    {
        _layers = Array.ConvertAll(other._layers, layer => (double[])layer.Clone());
        Position = other.Position;
    }

    /// <summary>Number of tokens taken so far, which is the position of the next.</summary>
    public long Position { get; internal set; }

    /// <summary>The state of one layer, [H, dk, dv].</summary>
    public Span<double> Layer(int layer) => _layers[layer];

    /// <summary>An independent copy.</summary>
    public ReferenceState Clone() => new(this);

    internal double[] Values(int layer) => _layers[layer];
}
