namespace RetNet.Vulkan.Verification;

/// <summary>How far two training runs are apart in one tensor, each ‖Δ‖ / ‖reference‖.</summary>
/// <param name="Name">Its canonical name.</param>
/// <param name="Gradient">In the gradient of the first step.</param>
/// <param name="Update">In what the steps changed, beyond what rounding of gradients by <see cref="TrainingComparison.Rounding"/> explains; null where that was not compared.</param>
/// <param name="PlainUpdate">In what the steps changed, rounding included; null where that was not compared.</param>
public sealed record TensorDifference(string Name, double Gradient, double? Update = null, double? PlainUpdate = null);
