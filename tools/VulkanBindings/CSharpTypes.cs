namespace VulkanBindings;

/// <summary>Maps the registry's C types to C#.</summary>
internal sealed class CSharpTypes(Registry registry)
{
    private static readonly Dictionary<string, string> Primitives = new()
    {
        ["void"] = "void", ["char"] = "byte", ["float"] = "float", ["double"] = "double", ["int"] = "int", ["size_t"] = "nuint",
        ["int8_t"] = "sbyte", ["int16_t"] = "short", ["int32_t"] = "int", ["int64_t"] = "long",
        ["uint8_t"] = "byte", ["uint16_t"] = "ushort", ["uint32_t"] = "uint", ["uint64_t"] = "ulong",
        ["VkBool32"] = "Bool32", ["VkDeviceSize"] = "ulong", ["VkDeviceAddress"] = "ulong", ["VkSampleMask"] = "uint",
    };

    private static readonly HashSet<string> Keywords = ["event", "object", "params", "ref", "out", "in", "base", "string", "fixed", "lock"];

    /// <summary>The C# type, without pointers.</summary>
    public string Name(string type)
    {
        type = registry.Resolve(type);
        if (Primitives.TryGetValue(type, out var primitive)) return primitive;
        if (type.StartsWith("PFN_vk", StringComparison.Ordinal)) return SilkNames.FunctionPointer(type);
        if (registry.Bitmasks.TryGetValue(type, out var mask) && mask.Bits is null) return mask.IsWide ? "ulong" : "uint";
        if (!type.StartsWith("Vk", StringComparison.Ordinal)) throw new NotSupportedException($"The C type {type} has no C# counterpart.");
        return SilkNames.Type(mask?.Bits ?? type);
    }

    /// <summary>The C# type with its pointers. An array parameter is a pointer in C.</summary>
    public string Full(Variable variable) =>
        Name(variable.Type) + new string('*', variable.Pointers + (variable.ArrayLength is null ? 0 : 1));

    /// <summary>An unmanaged function pointer type; the convention is empty (the platform's) or in brackets.</summary>
    public string Signature(Variable[] parameters, string returnType, string convention)
    {
        var isPointer = returnType.EndsWith('*');
        var result = Name(returnType.TrimEnd('*')) + (isPointer ? "*" : "");
        return $"delegate* unmanaged{convention}<{string.Concat(parameters.Select(parameter => Full(parameter) + ", "))}{result}>";
    }

    /// <summary>The length of an array member. Bit fields and arrays of arrays, which nothing here needs, are refused.</summary>
    public int Length(string length)
    {
        if (int.TryParse(length, out var number)) return number;
        if (!length.StartsWith("VK_", StringComparison.Ordinal)) throw new NotSupportedException($"'{length}' is no array length.");
        return registry.ConstantValue(length);
    }

    /// <summary>Whether C# allows a fixed buffer of the type.</summary>
    public static bool CanBeFixed(string type) =>
        type is "byte" or "sbyte" or "short" or "ushort" or "int" or "uint" or "long" or "ulong" or "float" or "double";

    /// <summary>A parameter's name, escaped if it is a keyword.</summary>
    public static string Identifier(string name) => Keywords.Contains(name) ? "@" + name : name;
}
