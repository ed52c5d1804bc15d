using System.Text.RegularExpressions;

namespace VulkanBindings;

/// <summary>Names as Silk.NET 2.x derives them from the registry, odd cases included (deviceLUIDValid becomes DeviceLuidvalid).</summary>
internal static partial class SilkNames
{
    /// <summary>VkDebugUtilsMessengerEXT → DebugUtilsMessengerEXT, VkAccessFlagBits2 → AccessFlags2.</summary>
    public static string Type(string name) => name["Vk".Length..].Replace("FlagBits", "Flags", StringComparison.Ordinal);

    /// <summary>PFN_vkAllocationFunction → PfnAllocationFunction.</summary>
    public static string FunctionPointer(string name) => "Pfn" + name["PFN_vk".Length..];

    /// <summary>vkCmdDispatch → CmdDispatch; the methods of an extension's class also lose the vendor's suffix.</summary>
    public static string Method(string command, string? vendor) =>
        vendor is not null && command.EndsWith(vendor, StringComparison.Ordinal) ? command["vk".Length..^vendor.Length] : command["vk".Length..];

    /// <summary>VK_EXT_debug_utils → ExtDebugUtils.</summary>
    public static string ExtensionClass(string extension) => Member(extension["VK_".Length..]);

    /// <summary>A field or constant: pApplicationInfo → PApplicationInfo, pipelineCacheUUID → PipelineCacheUuid, DEVICE_ID → DeviceID.</summary>
    public static string Member(string name)
    {
        name = LongAcronym().Replace(name, match => match.Value switch
        {
            "QCOM" => "QCom",
            "SNORM" => "SNorm",
            var word => Capitalize(word),
        });
        name = ShortWord().Replace(name, match => Capitalize(match.Value));
        name = DigitBeforeType().Replace(name, match => Lower(match.Value));
        return string.Concat(name.Split('_').Where(word => word != "").Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    /// <summary>
    /// The words that all members of an enumeration share and lose. The last shared word stays when a member would otherwise
    /// be empty or start with a digit (SampleCountFlags.Count1Bit, QueryResultFlags.ResultWaitBit).
    /// </summary>
    public static string SharedPrefix(EnumType type, IReadOnlySet<string> vendors)
    {
        var members = type.Members.Select(member => member.Name.Split('_')).ToArray();
        var shared = members.Length > 1 ? CommonWords(members) : WordsOfType(type, vendors);
        while (members.Any(words => words.Length <= shared || char.IsAsciiDigit(words[shared][0]))) shared--;
        return string.Concat(members[0].Take(shared).Select(word => word + "_"));
    }

    private static int CommonWords(string[][] members)
    {
        var count = 0;
        while (members.All(words => count < words.Length && words[count] == members[0][count])) count++;
        return count;
    }

    // VkFenceCreateFlagBits → VK_FENCE_CREATE: three words.
    private static int WordsOfType(EnumType type, IReadOnlySet<string> vendors)
    {
        var name = type.Name.Replace("FlagBits", "", StringComparison.Ordinal);
        if (vendors.FirstOrDefault(vendor => name.EndsWith(vendor, StringComparison.Ordinal)) is { } vendor) name = name[..^vendor.Length];
        return Word().Count(name);
    }

    private static string Capitalize(string word) => word[0] + Lower(word[1..]);

#pragma warning disable CA1308 // Identifiers, not text to compare.
    private static string Lower(string word) => word.ToLowerInvariant();
#pragma warning restore CA1308

    [GeneratedRegex("(?<![A-Z])[A-Z]{3,}(?![A-Z])")]
    private static partial Regex LongAcronym();

    [GeneratedRegex("(?<![A-Z])(IS|AS|NO|ON|TO|OP|BY|OF|IN|UP|OR)(?![A-Z])")]
    private static partial Regex ShortWord();

    [GeneratedRegex(@"\dU?[FI]")]
    private static partial Regex DigitBeforeType();

    [GeneratedRegex("[A-Z][a-z]*|[0-9]+")]
    private static partial Regex Word();
}
