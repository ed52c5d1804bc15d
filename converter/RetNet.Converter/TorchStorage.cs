namespace RetNet.Converter;

/// <summary>A tensor's memory: an entry of the archive.</summary>
/// <param name="Type">The storage class, such as <c>torch.FloatStorage</c>.</param>
/// <param name="Key">Name of the entry under <c>data/</c>.</param>
/// <param name="Elements">Number of elements.</param>
internal sealed record TorchStorage(string Type, string Key, long Elements);
