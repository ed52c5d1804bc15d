using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Execution;

/// <summary>What the pipeline of a product depends on, beside the model's heads and activation.</summary>
/// <param name="Type">Type of the weights.</param>
/// <param name="Interleave">Rows of the matrix that lie together.</param>
/// <param name="Input">What it does to its input.</param>
/// <param name="Output">What becomes of it.</param>
/// <param name="Biased">Whether a bias is added.</param>
/// <param name="Tile">How it is cut up.</param>
internal readonly record struct ProductKey(GgmlType Type, int Interleave, ProductInput Input, ProductOutput Output, bool Biased, ProductTile Tile);
