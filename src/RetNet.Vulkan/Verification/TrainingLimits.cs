namespace RetNet.Vulkan.Verification;

/// <summary>The largest differences allowed.</summary>
/// <param name="Loss">Of the mean losses, relative.</param>
/// <param name="Gradient">Of a tensor's gradient, ‖Δ‖ / ‖reference‖.</param>
/// <param name="Update">Of what the steps changed in a tensor, ‖Δ‖ / ‖reference‖, beyond what rounding of gradients explains.</param>
public sealed record TrainingLimits(double Loss, double Gradient, double Update)
{
    /// <summary>Of a computation in f32 from one in double precision.</summary>
    public static TrainingLimits Oracle { get; } = new(1e-5, 1e-4, 1e-4);

    /// <summary>Of a computation in f32 from a framework's in f32.</summary>
    public static TrainingLimits Parity { get; } = new(1e-5, 1e-4, 1e-4);

    /// <summary>Between two forms of retention in f32.</summary>
    public static TrainingLimits Forms { get; } = new(1e-6, 1e-5, 1e-4);
}
