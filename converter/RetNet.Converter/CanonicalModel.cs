using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>What a dialect makes of a checkpoint: canonical settings, and the source of every canonical tensor.</summary>
/// <param name="Config">The settings.</param>
/// <param name="Tensors">All tensors, in the order of <see cref="TensorShapes.Of"/>.</param>
/// <param name="Notes">Sentences that a user should read.</param>
public sealed record CanonicalModel(RetNetConfig Config, IReadOnlyList<CanonicalTensor> Tensors, IReadOnlyList<string> Notes);
