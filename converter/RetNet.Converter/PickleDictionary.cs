namespace RetNet.Converter;

/// <summary>A pickled dict, OrderedDict or argparse.Namespace.</summary>
/// <param name="isNamespace">Whether its entries are attributes.</param>
internal sealed class PickleDictionary(bool isNamespace)
{
    /// <summary>Whether its entries are attributes, which an object's state holds.</summary>
    public bool IsNamespace => isNamespace;

    /// <summary>The entries whose keys are strings; no other key names a tensor or a setting.</summary>
    public Dictionary<string, object?> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>The dictionary under <paramref name="key"/>, or null.</summary>
    public PickleDictionary? Find(string key) => Entries.GetValueOrDefault(key) as PickleDictionary;
}
