using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Where the parts of a row of <see cref="Activations.Projections"/> lie.</summary>
internal readonly record struct ProjectionAddresses(ulong Queries, ulong Keys, ulong Values, ulong Gates)
{
    public static ProjectionAddresses Of(RetNetConfig config, Activations activations, int layer)
    {
        var bytes = activations.HalfProjections ? 2u : sizeof(float);
        var queries = activations.Projections(layer);
        var keys = queries + (ulong)config.QueryWidth * bytes;
        var values = keys + (ulong)config.KeyWidth * bytes;
        return new(queries, keys, values, values + (ulong)config.ValueWidth * bytes);
    }
}
