using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Model;

/// <summary>Where the weights of a <see cref="WeightStore"/> come from.</summary>
internal interface IWeightSource : IDisposable
{
    /// <summary>What it is, for errors.</summary>
    string Name { get; }

    /// <summary>Whether there is a tensor of that name.</summary>
    bool Has(string tensorName);

    /// <summary>A matrix' type and shape.</summary>
    SourceMatrix Matrix(string tensorName);

    /// <summary>Reads a vector, and answers false where there is none.</summary>
    bool TryReadVector(string tensorName, Span<float> values);

    /// <summary>Fills the rows of several matrices, one after the other, with their padding.</summary>
    /// <param name="uploader">For what the host makes.</param>
    /// <param name="matrices">Matrices of one type and width.</param>
    /// <param name="layout">Where their rows lie.</param>
    /// <param name="weights">Quads of weights, <see cref="WeightPacker.RowBytes"/> a row.</param>
    /// <param name="scales">Scales, <see cref="WeightPacker.RowScaleBytes"/> a row; null where the type has none.</param>
    void Fill(Uploader uploader, IReadOnlyList<SourceMatrix> matrices, RowLayout layout, BufferPart weights, BufferPart? scales);
}
