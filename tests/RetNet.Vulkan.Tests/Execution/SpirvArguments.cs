using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Tests.Execution;

/// <summary>The push-constant block of a SPIR-V module, member by member.</summary>
internal static class SpirvArguments
{
    private const uint PushConstant = 9;
    private const uint OffsetDecoration = 35;

    /// <summary>Offset in bytes and kind of each member: an address, an unsigned integer or a float.</summary>
    public static (uint Offset, Type Kind)[] Read(byte[] spirv)
    {
        var words = MemoryMarshal.Cast<byte, uint>(spirv);
        var kinds = new Dictionary<uint, Type>();
        var pointees = new Dictionary<uint, uint>();
        var structs = new Dictionary<uint, uint[]>();
        var offsets = new Dictionary<(uint Struct, uint Member), uint>();
        uint block = 0;
        for (var i = 5; i < words.Length; i += (int)(words[i] >> 16))
        {
            var operands = words[(i + 1)..(i + (int)(words[i] >> 16))];
            switch (words[i] & 0xFFFF)
            {
                case 21: // OpTypeInt
                    kinds[operands[0]] = typeof(uint);
                    break;
                case 22: // OpTypeFloat
                    kinds[operands[0]] = typeof(float);
                    break;
                case 30: // OpTypeStruct
                    structs[operands[0]] = operands[1..].ToArray();
                    break;
                case 32: // OpTypePointer
                case 39: // OpTypeForwardPointer has its storage class second
                    kinds[operands[0]] = typeof(ulong);
                    if ((words[i] & 0xFFFF) == 32 && operands[1] == PushConstant)
                        pointees[operands[0]] = operands[2];
                    break;
                case 59 when operands[2] == PushConstant: // OpVariable
                    block = pointees[operands[0]];
                    break;
                case 72 when operands[2] == OffsetDecoration: // OpMemberDecorate
                    offsets[(operands[0], operands[1])] = operands[3];
                    break;
            }
        }

        return [.. structs[block].Select((type, member) => (offsets[(block, (uint)member)], kinds[type]))];
    }
}
