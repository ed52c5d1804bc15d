namespace RetNet.Converter;

/// <summary>How far a conversion is.</summary>
/// <param name="Tensor">The tensor being written.</param>
/// <param name="TensorsDone">Tensors written.</param>
/// <param name="Tensors">Tensors in all.</param>
/// <param name="BytesDone">Bytes of tensor data written.</param>
/// <param name="Bytes">Bytes of tensor data in all.</param>
public readonly record struct ConversionProgress(string Tensor, int TensorsDone, int Tensors, long BytesDone, long Bytes);
