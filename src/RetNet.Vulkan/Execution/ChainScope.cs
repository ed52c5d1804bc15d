namespace RetNet.Vulkan.Execution;

/// <summary>What of a step follows each other without barriers (<see cref="DispatchChain"/>).</summary>
internal enum ChainScope
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>In each layer, retention what makes its queries, keys, values and gates: it asks for the state while that still runs.</summary>
    Retention,

    /// <summary>Everything from the first product to the logits.</summary>
    Step,
}
