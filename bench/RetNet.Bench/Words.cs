using RetNet.Vulkan.Execution;

namespace RetNet.Bench;

/// <summary>Names as reports and the command line have them.</summary>
public static class Words
{
    /// <summary><c>f32</c> or <c>f16</c>.</summary>
    public static string Of(StateType type) => type == StateType.F16 ? "f16" : "f32";

    /// <summary><c>retnet</c> or <c>transformer</c>.</summary>
    public static string Of(Architecture architecture) => architecture == Architecture.RetNet ? "retnet" : "transformer";

    /// <summary><c>decode</c> or <c>prefill</c>.</summary>
    public static string Of(MeasurementKind kind) => kind == MeasurementKind.Decode ? "decode" : "prefill";
}
