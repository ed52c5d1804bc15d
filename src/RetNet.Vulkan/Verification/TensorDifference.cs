namespace RetNet.Vulkan.Verification;

/// <summary>How far two training runs are apart in one tensor, each ‖Δ‖ / ‖reference‖.</summary>
/// <param name="Name">Its canonical name.</param>
/// <param name="Gradient">In the gradient of the first step.</param>
/// <param name="Update">In what the steps changed, without elements whose gradient was rounding; null where that was not compared.</param>
/// <param name="Unsettled">Number of those elements.</param>
public sealed record TensorDifference(string Name, double Gradient, double? Update = null, int Unsettled = 0);
