namespace RetNet.Converter;

/// <summary>A Python name that a pickle refers to; nothing is ever imported or called.</summary>
/// <param name="Name">Module and name with a dot between, such as <c>torch.FloatStorage</c>.</param>
internal sealed record PickleGlobal(string Name);
