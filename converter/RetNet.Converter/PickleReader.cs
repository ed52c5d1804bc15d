using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace RetNet.Converter;

/// <summary>
/// Reads what torch.save pickles (Python's Lib/pickletools.py, protocols 2 to 5) without executing anything: a stack machine that
/// knows plain values, tensors and storages, and refuses every other object by name.
/// </summary>
/// <remarks>
/// Values are null, <see cref="bool"/>, <see cref="long"/>, <see cref="BigInteger"/>, <see cref="double"/>, <see cref="string"/>, byte[],
/// object?[] (tuple), List (list, set), <see cref="PickleDictionary"/>, <see cref="PickleGlobal"/>, <see cref="TorchStorage"/> and
/// <see cref="TorchTensor"/>. They may refer to each other in circles.
/// </remarks>
internal ref struct PickleReader
{
    private const int NewestProtocol = 5;
    private const int MostValues = 1 << 22;
    private const int DeepestMark = 1 << 10;
    private const int LongestName = 80;

    private static readonly HashSet<string> Plain =
    [
        "collections.OrderedDict", "argparse.Namespace", "torch.Size", "torch.device",
        "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
        .. TorchFile.StorageTypes.Keys,
        .. new[] { "float32", "float", "float16", "half", "bfloat16", "float64", "double", "int8", "uint8", "int16", "int32", "int64", "bool" }.Select(type => "torch." + type),
    ];

    private readonly string _path;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _position;
    private int _values;

    private PickleReader(string path, ReadOnlySpan<byte> bytes)
    {
        _path = path;
        _bytes = bytes;
    }

    /// <summary>The pickled value.</summary>
    /// <exception cref="ConverterException">The pickle is damaged, too large, or holds an object that is not a tensor or plain value.</exception>
    public static object? Read(string path, ReadOnlySpan<byte> bytes)
    {
        var reader = new PickleReader(path, bytes);
        byte opcode;
        while ((opcode = reader.Byte()) != (byte)'.')
        {
            if (!reader.PushPlain(opcode) && !reader.PushText(opcode) && !reader.Collect(opcode) && !reader.Remember(opcode))
                reader.Construct(opcode);
        }

        return reader.Pop();
    }

    /// <summary>Protocol marks and values that stand in the opcode.</summary>
    private bool PushPlain(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: RequireProtocol(Byte()); break;
            case 0x95: _ = Take(sizeof(ulong)); break; // FRAME: how much may be read ahead
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'K': Push((long)Byte()); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case 0x8A: PushInteger(Take(Byte())); break;
            case 0x8B: PushInteger(Take(Length32())); break;
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            default: return false;
        }

        return true;
    }

    /// <summary>Strings and bytes. Python 2's strings are bytes that are mostly text.</summary>
    private bool PushText(byte opcode)
    {
        switch (opcode)
        {
            case 0x8C: Push(Encoding.UTF8.GetString(Take(Byte()))); break;
            case (byte)'X': Push(Encoding.UTF8.GetString(Take(Length32()))); break;
            case 0x8D: Push(Encoding.UTF8.GetString(Take(Length64()))); break;
            case (byte)'U': Push(Encoding.Latin1.GetString(Take(Byte()))); break;
            case (byte)'T': Push(Encoding.Latin1.GetString(Take(Length32()))); break;
            case (byte)'C': Push(Take(Byte()).ToArray()); break;
            case (byte)'B': Push(Take(Length32()).ToArray()); break;
            case 0x8E or 0x96: Push(Take(Length64()).ToArray()); break;
            default: return false;
        }

        return true;
    }

    /// <summary>Tuples, lists, sets and dictionaries.</summary>
    private bool Collect(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(': Mark(); break;
            case (byte)')': Push(Array.Empty<object?>()); break;
            case 0x85 or 0x86 or 0x87: Push(PopMany(opcode - 0x84)); break;
            case (byte)'t' or 0x91: Push(PopToMark()); break; // also FROZENSET
            case (byte)']' or 0x8F: Push(new List<object?>()); break; // also EMPTY_SET
            case (byte)'a': Append(PopMany(1)); break;
            case (byte)'e' or 0x90: Append(PopToMark()); break; // also ADDITEMS
            case (byte)'}': Push(new PickleDictionary(isNamespace: false)); break;
            case (byte)'s': SetItems(PopMany(2)); break;
            case (byte)'u': SetItems(PopToMark()); break;
            default: return false;
        }

        return true;
    }

    /// <summary>What moves values between stack and memo.</summary>
    private bool Remember(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'q': _memo[Byte()] = Peek(); break;
            case (byte)'r': _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek(); break;
            case 0x94: _memo[(uint)_memo.Count] = Peek(); break;
            case (byte)'h': Push(Recall(Byte())); break;
            case (byte)'j': Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case (byte)'0': Pop(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'2': Push(Peek()); break;
            default: return false;
        }

        return true;
    }

    /// <summary>Objects. What is not in <see cref="Plain"/> is refused where it is named, before it could be used.</summary>
    private void Construct(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'c':
                Push(Global(Line(), Line()));
                break;
            case 0x93:
                Push(PopMany(2) is [string module, string name] ? Global(module, name) : throw Damaged());
                break;
            case (byte)'Q':
                Push(Storage(Pop()));
                break;
            case (byte)'R' or 0x81:
                Push(PopMany(2) is [PickleGlobal callee, object?[] arguments] ? Call(callee, arguments) : throw Damaged());
                break;
            case (byte)'b':
                Build(Pop());
                break;
            default:
                throw Error($"has the pickle opcode 0x{opcode:X2}, which torch.save does not write; re-save it with torch.save(model.state_dict())");
        }
    }

    private readonly PickleGlobal Global(string module, string name)
    {
        string full = $"{module}.{name}";
        return Plain.Contains(full) ? new PickleGlobal(full) : throw Foreign(full);
    }

    private readonly object? Call(PickleGlobal callee, object?[] arguments) => (callee.Name, arguments) switch
    {
        ("collections.OrderedDict", []) => new PickleDictionary(isNamespace: false),
        ("collections.OrderedDict", [List<object?> pairs]) => Ordered(pairs),
        ("argparse.Namespace", []) => new PickleDictionary(isNamespace: true),
        ("torch.Size", [object?[] sizes]) => sizes,
        ("torch.device", [string device, ..]) => device,
        ("torch._utils._rebuild_tensor" or "torch._utils._rebuild_tensor_v2", [TorchStorage storage, long start, object?[] sizes, object?[] strides, ..])
            => new TorchTensor(storage, start, Integers(sizes), Integers(strides)),
        ("torch._utils._rebuild_parameter", [TorchTensor tensor, ..]) => tensor,
        _ => throw Foreign($"{callee.Name}({string.Join(", ", arguments.Take(8).Select(KindOf))})"),
    };

    private readonly PickleDictionary Ordered(List<object?> pairs)
    {
        var dictionary = new PickleDictionary(isNamespace: false);
        foreach (object? pair in pairs)
        {
            (object? key, object? value) = pair switch
            {
                object?[] and [var first, var second] => (first, second),
                List<object?> and [var first, var second] => (first, second),
                _ => throw Damaged(),
            };
            if (key is string name)
                dictionary.Entries[name] = value;
        }

        return dictionary;
    }

    /// <summary>A namespace's state is its entries. That of an OrderedDict is PyTorch's <c>_metadata</c>, which says nothing about the model.</summary>
    private readonly void Build(object? state)
    {
        if (Peek() is not PickleDictionary target || state is not PickleDictionary attributes)
            throw Foreign($"state of {KindOf(Peek())}");
        if (!target.IsNamespace)
            return;
        foreach ((string name, object? value) in attributes.Entries)
            target.Entries[name] = value;
    }

    /// <summary>A persistent id, ("storage", type, key, location, elements).</summary>
    private readonly TorchStorage Storage(object? id) =>
        id is object?[] and ["storage", PickleGlobal type, string key, _, long elements, ..] && TorchFile.StorageTypes.ContainsKey(type.Name) && elements >= 0
            ? new TorchStorage(type.Name, key, elements)
            : throw Error("refers to something outside its pickle that is no tensor storage; re-save it with torch.save(model.state_dict())");

    private readonly long[] Integers(object?[] values)
    {
        ConverterException damaged = Damaged();
        return [.. values.Select(value => value is long number ? number : throw damaged)];
    }

    private readonly void Append(object?[] items)
    {
        if (Peek() is not List<object?> list)
            throw Damaged();
        list.AddRange(items);
    }

    private readonly void SetItems(object?[] items)
    {
        if (Peek() is not PickleDictionary dictionary || items.Length % 2 != 0)
            throw Damaged();
        for (int i = 0; i < items.Length; i += 2)
        {
            if (items[i] is string key)
                dictionary.Entries[key] = items[i + 1];
        }
    }

    private void Push(object? value)
    {
        if (++_values > MostValues)
            throw Error($"has a pickle of more than {MostValues} values, which no model has; re-save it with torch.save(model.state_dict())");
        _stack.Add(value);
    }

    private void Mark()
    {
        if (_marks.Count == DeepestMark)
            throw Error($"has a pickle that nests deeper than {DeepestMark}; re-save it with torch.save(model.state_dict())");
        _marks.Push(_stack.Count);
    }

    private readonly object? Pop() => PopMany(1)[0];

    private readonly object? Peek() => _stack.Count > Floor() ? _stack[^1] : throw Damaged();

    private readonly object?[] PopMany(int count)
    {
        if (_stack.Count - count < Floor())
            throw Damaged();
        object?[] values = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private readonly object?[] PopToMark()
    {
        if (!_marks.TryPop(out int mark))
            throw Damaged();
        return PopMany(_stack.Count - mark);
    }

    private readonly int Floor() => _marks.TryPeek(out int mark) ? mark : 0;

    private readonly object? Recall(uint index) => _memo.TryGetValue(index, out object? value) ? value : throw Damaged();

    private byte Byte() => Take(1)[0];

    private int Length32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) is <= int.MaxValue and uint length ? (int)length : throw Truncated();

    private int Length64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8)) is <= int.MaxValue and ulong length ? (int)length : throw Truncated();

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _position)
            throw Truncated();
        _position += count;
        return _bytes.Slice(_position - count, count);
    }

    private string Line()
    {
        int length = _bytes[_position..].IndexOf((byte)'\n');
        if (length < 0)
            throw Truncated();
        string line = Encoding.UTF8.GetString(Take(length));
        _ = Byte();
        return line;
    }

    private void PushInteger(ReadOnlySpan<byte> bytes)
    {
        var value = new BigInteger(bytes);
        if (value >= long.MinValue && value <= long.MaxValue)
            Push((long)value);
        else
            Push(value);
    }

    private readonly void RequireProtocol(byte protocol)
    {
        if (protocol > NewestProtocol)
            throw Error($"has a pickle of protocol {protocol}, protocols up to {NewestProtocol} are read; re-save it with torch.save(model.state_dict())");
    }

    private static string KindOf(object? value) => value switch
    {
        null => "None",
        PickleGlobal global => global.Name,
        PickleDictionary => "a dict",
        List<object?> => "a list",
        object?[] => "a tuple",
        TorchTensor => "a tensor",
        TorchStorage => "a storage",
        string => "a string",
        _ => "a plain value",
    };

    private readonly ConverterException Foreign(string name) => Error(
        $"contains the Python object {(name.Length > LongestName ? name[..LongestName] + "…" : name)}, which is not a tensor or plain value; re-save it with torch.save(model.state_dict())");

    private readonly ConverterException Truncated() => Error("has a pickle that ends too early; it is damaged, fetch it again");

    private readonly ConverterException Damaged() => Error("has a damaged pickle; fetch it again");

    private readonly ConverterException Error(string problem) => new(_path, problem);
}
