using System.Globalization;

namespace RetNet.Cli;

/// <summary>
/// The options of a run that may go on later. Each is what the command line gives, else what a saved run had, else a default.
/// What decides a step's result cannot change on the way.
/// </summary>
/// <param name="saved">The options of the run that goes on; null begins one.</param>
internal sealed class RunSettings(IReadOnlyDictionary<string, string>? saved)
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>Every option that was taken, for a checkpoint.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>An option that a run keeps.</summary>
    /// <exception cref="UsageException">The command line gives another value than the run had.</exception>
    public string? Keep(string option, string? given, string? fallback = null)
    {
        var before = saved?.GetValueOrDefault(option);
        if (saved is not null && given is not null && given != before)
            throw new UsageException($"--{option} is {given}, but the run was begun {(before is null ? "without it" : $"with {before}")}; leave it out to go on, or begin another run in another folder");
        return Set(option, given ?? before ?? (saved is null ? fallback : null));
    }

    /// <summary>A number that a run keeps.</summary>
    /// <exception cref="UsageException">The command line gives another value than the run had.</exception>
    public T Keep<T>(string option, T? given, T fallback)
        where T : struct, IParsable<T>, IFormattable =>
        Parse<T>(option, Keep(option, Text(given), Text<T>(fallback)));

    /// <summary>A number that may change.</summary>
    public T Take<T>(string option, T? given, T fallback)
        where T : struct, IParsable<T>, IFormattable =>
        Parse<T>(option, Take(option, Text(given), Text<T>(fallback)));

    /// <summary>An option that may change.</summary>
    public string? Take(string option, string? given, string? fallback = null) => Set(option, given ?? saved?.GetValueOrDefault(option) ?? fallback);

    private string? Set(string option, string? value)
    {
        if (value is not null)
            _values[option] = value;
        return value;
    }

    private static string? Text<T>(T? value)
        where T : struct, IFormattable =>
        value?.ToString(null, CultureInfo.InvariantCulture);

    private static T Parse<T>(string option, string? text)
        where T : struct, IParsable<T> =>
        T.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : throw new CommandException($"the checkpoint has no sound --{option}: '{text}'; it is damaged or of another version");
}
