using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Model;

/// <summary>A matrix as its source has it.</summary>
/// <param name="Name">Its tensor's name.</param>
/// <param name="Type">Type of its weights.</param>
/// <param name="Rows">Rows, one an output.</param>
/// <param name="Columns">Columns, one an input.</param>
internal readonly record struct SourceMatrix(string Name, GgmlType Type, int Rows, int Columns);
