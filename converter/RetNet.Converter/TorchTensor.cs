namespace RetNet.Converter;

/// <summary>A pickled tensor, as <c>torch._utils._rebuild_tensor_v2</c> takes it.</summary>
/// <param name="Storage">Its memory.</param>
/// <param name="Start">Its first element there.</param>
/// <param name="Sizes">Size of each dimension.</param>
/// <param name="Strides">Elements between neighbours of each dimension.</param>
internal sealed record TorchTensor(TorchStorage Storage, long Start, IReadOnlyList<long> Sizes, IReadOnlyList<long> Strides);
