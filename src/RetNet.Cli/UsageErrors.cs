using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using CommandLine;

namespace RetNet.Cli;

/// <summary>The parser's errors in words.</summary>
internal static class UsageErrors
{
    /// <summary>Describes an error in the arguments of <paramref name="verb"/>.</summary>
    public static string Describe(Error error, Type verb) => error switch
    {
        BadVerbSelectedError e => $"there is no verb '{e.Token}'",
        UnknownOptionError e => $"unknown option '{(e.Token.Length == 1 ? "-" : "--")}{e.Token}'",
        MissingRequiredOptionError e => $"{Name(e.NameInfo, verb)} is missing",
        BadFormatConversionError e => $"{Name(e.NameInfo, verb)} does not take this value: {Help(e.NameInfo, verb)}",
        BadFormatTokenError e => $"'{e.Token}' cannot be understood",
        _ => $"the command line is wrong ({error.Tag})",
    };

    private static string Name(NameInfo name, Type verb) =>
        name.LongName.Length > 0 ? $"--{name.LongName}" : Attributes<ValueAttribute>(verb).First(value => value.Index == 0).MetaName;

    private static string Help(NameInfo name, Type verb) =>
        Attributes<OptionAttribute>(verb).FirstOrDefault(option => option.LongName == name.LongName)?.HelpText ?? "";

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "The project roots its own assembly: verbs keep their properties.")]
    private static IEnumerable<T> Attributes<T>(Type verb)
        where T : Attribute =>
        verb.GetProperties().Select(property => property.GetCustomAttribute<T>()).OfType<T>();
}
