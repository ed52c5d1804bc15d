using System.Globalization;
using System.Text;

namespace RetNet.Vulkan.Text.Patterns;

/// <summary>
/// Translates Oniguruma's regular expressions (kkos/oniguruma doc/RE) to .NET's. What means something else there, or
/// nothing, is refused, so that a pattern that is accepted matches the same text.
/// </summary>
/// <remarks>
/// Groups do not capture, possessive quantifiers become atomic groups, and without regard to case an <c>s</c> is also
/// the long ſ, which Unicode folds to it and .NET does not.
/// </remarks>
internal sealed class OnigurumaSyntax
{
    private const string WordClass = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}";
    private const string HexClass = "0-9A-Fa-f";
    private const int NoAtom = -1;
    private const int LongestPattern = 10_000;
    private const int LongestInterval = 16;

    private static readonly string[] GroupStarts = ["(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"];

    private static readonly HashSet<string> Categories = new(StringComparer.Ordinal)
    {
        "C", "Cc", "Cf", "Cn", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No",
        "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
    };

    private readonly string _pattern;
    private readonly StringBuilder _result;
    private readonly Stack<(int Start, bool IgnoreCase)> _groups = new();
    private int _at;
    private int _atom = NoAtom;
    private bool _ignoreCase;

    private OnigurumaSyntax(string pattern)
    {
        _pattern = pattern;
        _result = new StringBuilder(pattern.Length);
    }

    private ReadOnlySpan<char> Rest => _pattern.AsSpan(_at);

    /// <summary>The pattern for .NET, with <c>Multiline</c> and <c>CultureInvariant</c>.</summary>
    /// <exception cref="ArgumentException">The pattern is malformed or has no equal.</exception>
    public static string Translate(string pattern) => pattern.Length <= LongestPattern
        ? new OnigurumaSyntax(pattern).Translate()
        : throw new ArgumentException($"it has {pattern.Length} characters, more than {LongestPattern}");

    private string Translate()
    {
        if (Rest.StartsWith("(?i)"))
            TakeIgnoreCase();
        while (_at < _pattern.Length)
            TakeNext();
        return _groups.Count == 0 ? _result.ToString() : throw Refusal("a group does not end");
    }

    private void TakeIgnoreCase()
    {
        _at += "(?i)".Length;
        _result.Append("(?i)");
        _ignoreCase = true;
    }

    private void TakeNext()
    {
        switch (_pattern[_at])
        {
            case '(':
                OpenGroup();
                break;
            case ')':
                CloseGroup();
                break;
            case '|':
                Take(1);
                _atom = NoAtom;
                break;
            case '*' or '+' or '?':
                TakeQuantifier(1, mayBePossessive: true);
                break;
            case '{' when IntervalLength() is > 0 and int length:
                TakeQuantifier(length, mayBePossessive: false);
                break;
            case '[':
                _atom = _result.Length;
                TakeClass();
                break;
            default:
                _atom = _result.Length;
                TakeCharacter();
                break;
        }
    }

    private void OpenGroup()
    {
        _groups.Push((_result.Length, _ignoreCase));
        _atom = NoAtom;
        foreach (var start in GroupStarts)
        {
            if (Rest.StartsWith(start))
            {
                Take(start.Length);
                return;
            }
        }

        if (Rest.StartsWith("(?i:"))
        {
            Take("(?i:".Length);
            _ignoreCase = true;
        }
        else if (!Rest.StartsWith("(?"))
        {
            _result.Append("(?:");
            _at++;
        }
        else
        {
            throw Refusal($"'{Rest[..Math.Min(4, Rest.Length)]}' is not supported");
        }
    }

    private void CloseGroup()
    {
        if (!_groups.TryPop(out var group))
            throw Refusal("')' closes no group");
        Take(1);
        (_atom, _ignoreCase) = group;
    }

    private void TakeQuantifier(int length, bool mayBePossessive)
    {
        if (_atom == NoAtom)
            throw Refusal("a quantifier has nothing to repeat");
        if (Rest.StartsWith("{,"))
        {
            _result.Append("{0");
            _at++;
            length--;
        }

        Take(length);
        var next = _at < _pattern.Length ? _pattern[_at] : '\0';
        if (next == '?' && mayBePossessive)
            Take(1);
        else if (next == '+' && mayBePossessive)
        {
            _result.Insert(_atom, "(?>").Append(')');
            _at++;
        }

        if (_at < _pattern.Length && (_pattern[_at] is '*' or '+' or '?' || IntervalLength() > 0))
            throw Refusal("a quantifier follows a quantifier");
        _atom = NoAtom;
    }

    /// <summary>Length of <c>{n}</c>, <c>{n,}</c>, <c>{,n}</c> or <c>{n,m}</c> at the place; 0 where a brace is a brace.</summary>
    private int IntervalLength()
    {
        if (!Rest.StartsWith("{"))
            return 0;
        var end = Rest[..Math.Min(Rest.Length, LongestInterval)].IndexOf('}');
        if (end < 2)
            return 0;
        var inside = Rest[1..end];
        var comma = inside.IndexOf(',');
        var least = comma < 0 ? inside : inside[..comma];
        var most = comma < 0 ? inside : inside[(comma + 1)..];
        var isInterval = !(least.IsEmpty && most.IsEmpty) && !least.ContainsAnyExceptInRange('0', '9') && !most.ContainsAnyExceptInRange('0', '9');
        return isInterval ? end + 1 : 0;
    }

    private void TakeClass()
    {
        Take(1);
        if (Rest.StartsWith("^"))
            Take(1);
        if (Rest.StartsWith("]"))
            throw Refusal("a character class is empty or begins with ']'");
        while (!Rest.StartsWith("]"))
        {
            if (Rest.IsEmpty)
                throw Refusal("a character class does not end");
            if (Rest[0] == '[' || Rest.StartsWith("&&"))
                throw Refusal("character classes inside a character class are not supported");
            if (Rest[0] == '\\')
                TakeEscape(inClass: true);
            else
                TakeClassCharacter();
        }

        Take(1);
    }

    private void TakeClassCharacter()
    {
        RequireBasicPlane();
        var isRangeStart = Rest.Length > 1 && Rest[1] == '-';
        if (_ignoreCase && _pattern[_at] is 's' or 'S' && !isRangeStart && _pattern[_at - 1] != '-')
            _result.Append('ſ');
        Take(1);
    }

    private void TakeCharacter()
    {
        RequireBasicPlane();
        switch (_pattern[_at])
        {
            case '\\':
                TakeEscape(inClass: false);
                break;
            case '{':
                _result.Append(@"\{");
                _at++;
                break;
            case 's' or 'S' when _ignoreCase:
                _result.Append("[sſ]");
                _at++;
                break;
            default:
                Take(1);
                break;
        }
    }

    private void TakeEscape(bool inClass)
    {
        if (Rest.Length < 2)
            throw Refusal("it ends with '\\'");
        switch (Rest[1])
        {
            case 'p' or 'P':
                TakeProperty();
                break;
            case 'w':
                TakeSet(WordClass, inClass);
                break;
            case 'h':
                TakeSet(HexClass, inClass);
                break;
            case 'W' when !inClass:
                TakeSet("^" + WordClass, inClass);
                break;
            case 'H' when !inClass:
                TakeSet("^" + HexClass, inClass);
                break;
            case 'A' or 'Z' or 'z' when !inClass:
                Take(2);
                break;
            case 'x':
                TakeHexCode();
                break;
            case 'd' or 'D' or 's' or 'S' or 't' or 'n' or 'r' or 'f' or 'v' or 'a' or 'e':
                Take(2);
                break;
            case var other when other < 0x80 && !char.IsAsciiLetterOrDigit(other):
                Take(2);
                break;
            default:
                throw Refusal($"'\\{Rest[1]}' is not supported{(inClass ? " in a character class" : "")}");
        }
    }

    private void TakeSet(string set, bool inClass)
    {
        _result.Append(inClass ? set : $"[{set}]");
        _at += 2;
    }

    private void TakeProperty()
    {
        var end = Rest.IndexOf('}');
        if (end < 0 || Rest[2] != '{')
            throw Refusal("a property has no name in braces");
        var negated = Rest[3] == '^';
        var name = Rest[(negated ? 4 : 3)..end].ToString();
        if (!Categories.Contains(name))
            throw Refusal($"the property '{name}' is not supported, only general categories are");
        _result.Append(negated == (Rest[1] == 'P') ? @"\p{" : @"\P{").Append(name).Append('}');
        _at += end + 1;
    }

    /// <summary><c>\xHH</c> or <c>\x{H…}</c>.</summary>
    private void TakeHexCode()
    {
        var braces = Rest.Length > 2 && Rest[2] == '{';
        var start = braces ? 3 : 2;
        var length = braces ? Rest[start..].IndexOf('}') : Math.Min(2, Rest.Length - start);
        if (length < 1 || !int.TryParse(Rest.Slice(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || code > char.MaxValue || char.IsSurrogate((char)code) || (!braces && code > 0x7F))
        {
            throw Refusal("'\\x' names no character of the basic plane");
        }

        _result.Append(CultureInfo.InvariantCulture, $"\\u{code:X4}");
        _at += start + length + (braces ? 1 : 0);
    }

    private void Take(int length)
    {
        _result.Append(_pattern, _at, length);
        _at += length;
    }

    private void RequireBasicPlane()
    {
        if (char.IsSurrogate(_pattern[_at]))
            throw Refusal("a character beyond the basic plane is not supported");
    }

    private ArgumentException Refusal(string what) => new($"{what} (at character {_at})");
}
