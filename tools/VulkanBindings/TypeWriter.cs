using System.Globalization;

namespace VulkanBindings;

/// <summary>Writes enumerations, handles, structures and function pointers.</summary>
internal sealed class TypeWriter(Registry registry, Selection selection, CSharpTypes types)
{
    public SourceFile Enums()
    {
        var file = NewFile("Enums.cs");
        foreach (var type in selection.Enums.Values) WriteEnum(file, type);
        return file;
    }

    public SourceFile Handles()
    {
        var file = NewFile("Handles.cs");
        foreach (var (name, dispatchable) in selection.Handles) WriteHandle(file, SilkNames.Type(name), dispatchable ? "nint" : "ulong");
        return file;
    }

    public SourceFile Structs()
    {
        var file = NewFile("Structs.cs", "System.Diagnostics.CodeAnalysis", "System.Runtime.CompilerServices", "System.Runtime.InteropServices", "Silk.NET.Core");
        foreach (var type in selection.Structs.Values) WriteStruct(file, type);
        return file;
    }

    public SourceFile FunctionPointers()
    {
        var file = NewFile("FunctionPointers.cs", "Silk.NET.Core");
        foreach (var type in selection.FunctionPointers.Values) WriteFunctionPointer(file, type);
        return file;
    }

    private SourceFile NewFile(string name, params string[] usings) => new(name, registry.Version, "Silk.NET.Vulkan", usings);

    private void WriteEnum(SourceFile file, EnumType type)
    {
        var prefix = SilkNames.SharedPrefix(type, registry.Vendors);
        var members = selection.MembersOf(type).Select(member => (Name: SilkNames.Member(member.Name[prefix.Length..]), member.Value)).ToArray();
        file.Line();
        if (type.IsFlags) file.Line("[Flags]");
        file.Line($"public enum {SilkNames.Type(type.Name)} : {(type.IsWide ? "long" : "int")}");
        file.Braces(() =>
        {
            if (type.IsFlags && members.All(member => member.Name != "None")) file.Line("None = 0,");
            foreach (var (name, value) in members) file.Line($"{name} = {EnumValue(value, type)},");
        });
    }

    // Silk.NET's flags are signed.
    private static string EnumValue(long value, EnumType type) =>
        (type.IsWide ? value : unchecked((int)value)).ToString(CultureInfo.InvariantCulture);

    private static void WriteHandle(SourceFile file, string name, string value) => file.Block($"public struct {name} : IEquatable<{name}>", () =>
    {
        file.Line($"public {value} Handle;");
        file.Line();
        file.Line($"public {name}({value}? handle = null) => Handle = handle ?? 0;");
        file.Line();
        file.Line($"public readonly bool Equals({name} other) => Handle == other.Handle;");
        file.Line();
        file.Line($"public override readonly bool Equals(object? obj) => obj is {name} other && Equals(other);");
        file.Line();
        file.Line("public override readonly int GetHashCode() => Handle.GetHashCode();");
    });

    private void WriteStruct(SourceFile file, StructType type)
    {
        file.Line();
        if (type.IsUnion) file.Line("[StructLayout(LayoutKind.Explicit)]");
        file.Line($"public unsafe partial struct {SilkNames.Type(type.Name)}");
        file.Braces(() =>
        {
            foreach (var member in type.Members)
            {
                if (type.IsUnion) file.Line("[FieldOffset(0)]");
                WriteField(file, member);
            }

            foreach (var member in type.Members.Where(IsBuffer)) WriteBuffer(file, member);
        });
    }

    private void WriteField(SourceFile file, Variable member)
    {
        var name = SilkNames.Member(member.Name);
        if (member.ArrayLength is null) file.Line($"public {types.Full(member)} {name};");
        else if (IsBuffer(member)) file.Line($"public {name}Buffer {name};");
        else file.Line($"public fixed {types.Name(member.Type)} {name}[{types.Length(member.ArrayLength)}];");
    }

    // C# has fixed buffers of primitives only.
    private bool IsBuffer(Variable member) => member.ArrayLength is not null && !CSharpTypes.CanBeFixed(types.Name(member.Type));

    private void WriteBuffer(SourceFile file, Variable member)
    {
        if (member.Pointers > 0) throw new NotSupportedException($"{member.Name}: arrays of pointers are not supported.");
        var (element, length) = (types.Name(member.Type), types.Length(member.ArrayLength!));
        file.Block($"public struct {SilkNames.Member(member.Name)}Buffer", () =>
        {
            for (var i = 0; i < length; i++) file.Line($"public {element} Element{i};");
            file.Line();
            file.Line("[UnscopedRef]");
            file.Line($"public ref {element} this[int index]");
            file.Braces(() =>
            {
                file.Line("get");
                file.Braces(() =>
                {
                    file.Line($"ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, {length}u, nameof(index));");
                    file.Line("return ref Unsafe.Add(ref Element0, index);");
                });
            });
        });
    }

    private void WriteFunctionPointer(SourceFile file, FunctionPointerType type)
    {
        var name = SilkNames.FunctionPointer(type.Name);
        var signature = types.Signature(type.Parameters, type.ReturnType, "[Cdecl]");
        file.Block($"public readonly unsafe partial struct {name}", () =>
        {
            file.Line("private readonly void* _handle;");
            file.Line();
            file.Line($"public {name}({signature} pointer) => _handle = pointer;");
            file.Line();
            file.Line($"public {signature} Handle => ({signature})_handle;");
            file.Line();
            file.Line($"public static implicit operator {name}({signature} pointer) => new(pointer);");
            file.Line();
            file.Line($"public static implicit operator {signature}({name} pointer) => pointer.Handle;");
            file.Line();
            file.Line($"public static implicit operator nint({name} pointer) => (nint)pointer._handle;");
        });
    }
}
