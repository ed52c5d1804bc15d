using CommandLine;

namespace RetNet.Cli;

/// <summary>The parser's errors in words.</summary>
internal static class UsageErrors
{
    public static string Describe(Error error) => error switch
    {
        BadVerbSelectedError e => $"there is no verb '{e.Token}'",
        UnknownOptionError e => $"unknown option '{Dashed(e.Token)}'",
        MissingValueOptionError e => $"option {Name(e.NameInfo)} needs a value",
        BadFormatConversionError e => $"{Name(e.NameInfo)} has a value that it does not take",
        MissingRequiredOptionError e => $"{Name(e.NameInfo)} is missing",
        RepeatedOptionError e => $"option {Name(e.NameInfo)} is given twice",
        SequenceOutOfRangeError e => $"option {Name(e.NameInfo)} has the wrong number of values",
        BadFormatTokenError e => $"'{e.Token}' cannot be understood",
        _ => $"the command line is wrong ({error.Tag})",
    };

    private static string Dashed(string name) => name.Length == 1 ? $"-{name}" : $"--{name}";

    private static string Name(NameInfo name) => name.NameText.Length > 0 ? name.NameText : "an argument";
}
