namespace RetNet.Vulkan.Execution;

/// <summary>Values of specialization constants.</summary>
internal static class Constant
{
    /// <summary>A boolean as SPIR-V specializes it.</summary>
    public static uint Of(bool value) => value ? 1u : 0u;
}
