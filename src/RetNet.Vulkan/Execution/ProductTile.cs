namespace RetNet.Vulkan.Execution;

/// <summary>How a product is cut up among workgroups.</summary>
/// <param name="Kernel">The kernel: <c>matvec_stream</c>, <c>matvec_tokens</c>, <c>matvec_matrix</c>, <c>matvec_subgroup</c> or <c>matvec_lane</c>.</param>
/// <param name="Threads">Threads of a workgroup.</param>
/// <param name="Rows">Rows that a subgroup, or a lane of it, takes at once; of a gated unit, of each half.</param>
/// <param name="Tokens">Tokens that it takes at once.</param>
/// <param name="WorkgroupRows">Rows that a workgroup takes at once.</param>
/// <param name="Workgroups">Workgroups at most; they take turns.</param>
/// <param name="Runs">Quads of a row, where the kernel has to know them; else 0.</param>
/// <param name="Held">Quads of a row that a lane holds, likewise.</param>
/// <param name="Staged">Chunks of the inputs that lie in shared memory at once, where not all do.</param>
/// <param name="Parts">Subgroups that share rows, likewise.</param>
/// <param name="Depth">Columns that <c>matvec_matrix</c> takes at a time.</param>
internal readonly record struct ProductTile(string Kernel, uint Threads, uint Rows, uint Tokens, uint WorkgroupRows, uint Workgroups, uint Runs = 0, uint Held = 0, uint Staged = 1, uint Parts = 1,
    uint Depth = 0)
{
    /// <summary>Whether the kernel can be part of a chain (<see cref="DispatchChain"/>).</summary>
    public bool Chains => Kernel is Tuning.Stream or Tuning.FewTokens or Tuning.OnMatrices;
}
