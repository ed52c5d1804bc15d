using System.Globalization;

namespace RetNet.Vulkan.Verification;

/// <summary>A form of retention that training steps are taken in.</summary>
/// <param name="ChunkLength">Tokens of a chunk; null is the parallel form.</param>
/// <param name="TorchscaleClamp">Whether it divides by torchscale's clamped sum of scores; in the parallel form only.</param>
public readonly record struct TrainingForm(int? ChunkLength, bool TorchscaleClamp = false)
{
    /// <inheritdoc/>
    public override string ToString() => ChunkLength is { } length ? string.Create(CultureInfo.InvariantCulture, $"chunks of {length}") : TorchscaleClamp ? "parallel, clamped" : "parallel";
}
