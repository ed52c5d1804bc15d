namespace Silk.NET.Core;

/// <summary>A pointer to a command whose signature is not known; cast <see cref="Handle"/> to call it.</summary>
public readonly unsafe struct PfnVoidFunction
{
    public PfnVoidFunction(delegate* unmanaged[Cdecl]<void> ptr) => Handle = ptr;

    public delegate* unmanaged[Cdecl]<void> Handle { get; }

    public static implicit operator nint(PfnVoidFunction pfn) => (nint)pfn.Handle;

    public static implicit operator delegate* unmanaged[Cdecl]<void>(PfnVoidFunction pfn) => pfn.Handle;

    public static implicit operator PfnVoidFunction(delegate* unmanaged[Cdecl]<void> func) => new(func);
}
