namespace RetNet.Vulkan.Gpu;

/// <summary>The subgroup sizes that a compute kernel may ask for (subgroupSizeControl): powers of two.</summary>
/// <param name="Min">The least.</param>
/// <param name="Max">The largest.</param>
/// <param name="Full">Whether subgroups without idle lanes can be asked for too (computeFullSubgroups).</param>
public readonly record struct SubgroupSizes(uint Min, uint Max, bool Full)
{
    /// <summary>Whether kernels can have subgroups of <paramref name="lanes"/>.</summary>
    public bool Include(uint lanes) => uint.IsPow2(lanes) && lanes >= Min && lanes <= Max;

    /// <summary><c>8 to 32</c>.</summary>
    public override string ToString() => $"{Min} to {Max}";
}
