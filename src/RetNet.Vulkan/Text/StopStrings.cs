namespace RetNet.Vulkan.Text;

/// <summary>
/// Ends a streamed text at the first of several strings. Text that may be the beginning of one is held back until it is
/// decided, so no part of a stop string is ever let through. Where it ends does not depend on how the text was cut into
/// pieces. Not safe for concurrent use.
/// </summary>
public sealed class StopStrings
{
    private readonly string[] _stops;
    private string _held = "";

    /// <summary>Ends at any of <paramref name="stops"/>; none never ends.</summary>
    /// <exception cref="ArgumentException">A string is empty.</exception>
    public StopStrings(IEnumerable<string> stops)
    {
        _stops = [.. stops];
        if (_stops.Contains(""))
            throw new ArgumentException("a stop string must not be empty");
    }

    /// <summary>Whether a stop string has been met; the text is over then.</summary>
    public bool Met { get; private set; }

    /// <summary>Takes the next piece and returns the text before a stop string that has become certain; possibly empty.</summary>
    public string Append(string piece)
    {
        if (Met)
            return "";
        var text = _held + piece;
        _held = "";
        if (FirstMatch(text) is { } start)
        {
            Met = true;
            return text[..start];
        }

        var decided = text.Length - PossibleStart(text);
        _held = text[decided..];
        return text[..decided];
    }

    /// <summary>Ends the text: returns what was held back.</summary>
    public string Flush()
    {
        var rest = _held;
        _held = "";
        return rest;
    }

    /// <summary>Start of the stop string that is complete first; of the longest one among those.</summary>
    private int? FirstMatch(string text)
    {
        (int End, int Start)? first = null;
        foreach (var stop in _stops)
        {
            var start = text.IndexOf(stop, StringComparison.Ordinal);
            if (start >= 0 && (first is null || (start + stop.Length, start).CompareTo(first.Value) < 0))
                first = (start + stop.Length, start);
        }

        return first?.Start;
    }

    /// <summary>Length of the longest end of the text with which a stop string begins.</summary>
    private int PossibleStart(string text) => _stops.Length == 0 ? 0 : _stops.Max(stop =>
    {
        var length = Math.Min(stop.Length - 1, text.Length);
        while (length > 0 && !text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
            length--;
        return length;
    });
}
