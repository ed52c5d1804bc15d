using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using CommandLine;

namespace RetNet.Cli;

/// <summary>
/// Puts arguments into a form that CommandLineParser cannot misread. By itself it takes a value that begins with a dash
/// for an option, gives a repeatable option all values that follow it, ignores an option at the end that lacks its
/// value, and does not take <c>--name=value</c> with a space after the sign. Here each option's value is told from
/// what is no value, and everything else is moved behind <c>--</c>.
/// </summary>
internal static class Arguments
{
    /// <summary>Marks a value that begins with a dash. The system passes no NUL in arguments.</summary>
    private const char Mark = '\0';

    /// <summary>Normalises the arguments after a verb.</summary>
    /// <exception cref="UsageException">An option lacks its value.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "The project roots its own assembly: verbs keep their properties.")]
    public static string[] Normalize(string[] arguments, Type verb)
    {
        var options = verb.GetProperties()
            .Select(property => (Option: property.GetCustomAttribute<OptionAttribute>(), Type: property.PropertyType))
            .Where(property => property.Option is not null)
            .SelectMany(property => new[] { ("--" + property.Option!.LongName, property.Type), ("-" + property.Option.ShortName, property.Type) })
            .DistinctBy(option => option.Item1)
            .ToDictionary();
        var named = new List<string>();
        var plain = new List<string>();
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var argument))
        {
            if (argument == "--")
                while (rest.TryDequeue(out var value))
                    plain.Add(value);
            else if (!IsOption(argument))
                plain.Add(argument);
            else
                AddOption(argument, options, rest, named);
        }

        return [.. named, "--", .. plain];
    }

    /// <summary>The value as it was given.</summary>
    [return: NotNullIfNotNull(nameof(value))]
    public static string? Plain(string? value) => value?.TrimStart(Mark);

    /// <summary>A lone dash and negative numbers are values.</summary>
    private static bool IsOption(string argument) => argument is ['-', not (>= '0' and <= '9' or '.' or ' '), ..];

    private static void AddOption(string argument, Dictionary<string, Type> options, Queue<string> rest, List<string> named)
    {
        var (name, value) = Split(argument);
        named.Add(options.ContainsKey(name) || value is null ? name : argument);
        var type = options.GetValueOrDefault(name, typeof(bool));
        var takesValue = type != typeof(bool);
        if (!takesValue && value is not null && name.Length == 2)
            AddOption("-" + value, options, rest, named);
        else if (takesValue && (value is not null || rest.TryDequeue(out value)))
            named.Add(Value(name, value, type));
        else if (takesValue)
            throw new UsageException($"option {name} needs a value");
        else if (value is not null && options.ContainsKey(name))
            throw new UsageException($"option {name} takes no value");
    }

    // .NET reads 0,5 as 5: the comma would separate thousands.
    private static string Value(string name, string value, Type type) => (Nullable.GetUnderlyingType(type) ?? type) == typeof(float) && value.Contains(',', StringComparison.Ordinal)
        ? throw new UsageException($"option {name} takes a number with a decimal point; it is '{value}'")
        : value is ['-', not (>= '0' and <= '9'), ..] ? Mark + value : value;

    /// <summary><c>--name=value</c>, <c>-n5</c>, or several short options in one.</summary>
    private static (string Name, string? Value) Split(string argument)
    {
        if (!argument.StartsWith("--", StringComparison.Ordinal))
            return argument.Length > 2 ? (argument[..2], argument[2..]) : (argument, null);
        var sign = argument.IndexOf('=', StringComparison.Ordinal);
        return sign > 0 ? (argument[..sign], argument[(sign + 1)..]) : (argument, null);
    }
}
