using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Where the parts of a row of <see cref="Activations.Projections"/> lie.</summary>
internal readonly record struct ProjectionAddresses(ulong Queries, ulong Keys, ulong Values, ulong Gates)
{
    public static ProjectionAddresses Of(RetNetConfig config, ulong projections)
    {
        var keys = projections + (ulong)config.QueryWidth * sizeof(float);
        var values = keys + (ulong)config.KeyWidth * sizeof(float);
        return new(projections, keys, values, values + (ulong)config.ValueWidth * sizeof(float));
    }
}
