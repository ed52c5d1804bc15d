namespace RetNet.Vulkan.Training;

/// <summary>Tensors that lie one after the other in a buffer, a layer's for instance.</summary>
/// <param name="Name">What they are, for errors.</param>
/// <param name="Shapes">The tensors in their order.</param>
public sealed record ParameterGroup(string Name, IReadOnlyList<ParameterShape> Shapes);
