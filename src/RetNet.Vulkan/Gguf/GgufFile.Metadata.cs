using System.Diagnostics.CodeAnalysis;

namespace RetNet.Vulkan.Gguf;

public sealed unsafe partial class GgufFile
{
    /// <summary>The uint32 <paramref name="key"/>.</summary>
    /// <exception cref="GgufException">It is missing or of another type.</exception>
    public uint GetUInt32(string key) => Get<uint>(key);

    /// <summary>The float32 <paramref name="key"/>.</summary>
    /// <exception cref="GgufException">It is missing or of another type.</exception>
    public float GetFloat32(string key) => Get<float>(key);

    /// <summary>The bool <paramref name="key"/>.</summary>
    /// <exception cref="GgufException">It is missing or of another type.</exception>
    public bool GetBool(string key) => Get<bool>(key);

    /// <summary>The string <paramref name="key"/>.</summary>
    /// <exception cref="GgufException">It is missing or of another type.</exception>
    public string GetString(string key) => Get<string>(key);

    /// <summary>The array <paramref name="key"/> of scalars or strings.</summary>
    /// <exception cref="GgufException">It is missing or of another type.</exception>
    public IReadOnlyList<T> GetArray<T>(string key) => Get<T[]>(key);

    /// <summary>The value of <paramref name="key"/>; false when the key is missing.</summary>
    /// <exception cref="GgufException">It is there but of another type.</exception>
    public bool TryGet<T>(string key, [NotNullWhen(true)] out T? value)
        where T : notnull
    {
        value = default;
        if (!_metadata.TryGetValue(key, out object? found))
            return false;
        // The runtime lets an int[] pass for a uint[]; the exact type is meant.
        value = found.GetType() == typeof(T)
            ? (T)found
            : throw new GgufException(Path, $"metadata '{key}' is of type {TypeName(found.GetType())}, expected {TypeName(typeof(T))}");
        return true;
    }

    private T Get<T>(string key)
        where T : notnull =>
        TryGet(key, out T? value) ? value : throw new GgufException(Path, $"has no metadata '{key}' ({TypeName(typeof(T))})");

    private static string TypeName(Type type) => type.IsArray
        ? $"array of {TypeName(type.GetElementType()!)}"
        : type == typeof(Array) ? "array" : Type.GetTypeCode(type) switch
        {
            TypeCode.Byte => "uint8",
            TypeCode.SByte => "int8",
            TypeCode.Single => "float32",
            TypeCode.Double => "float64",
            TypeCode.Boolean => "bool",
            _ => type.Name.ToLowerInvariant(),
        };
}
