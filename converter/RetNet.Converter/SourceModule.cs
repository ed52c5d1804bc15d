namespace RetNet.Converter;

/// <summary>A module of a checkpoint that becomes one of the canonical model.</summary>
/// <param name="Name">Its name there, without <c>.weight</c>.</param>
/// <param name="HasBias">Whether it has a bias too, in which case it must have it.</param>
/// <param name="View">What part of the weight, in which order, it is; the whole by default.</param>
internal sealed record SourceModule(string Name, bool HasBias = false, Func<CheckpointTensor, CheckpointTensor>? View = null);
