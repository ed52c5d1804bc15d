using System.Globalization;

namespace RetNet.Vulkan.Text.Normalizers;

/// <summary>Decompositions, compositions and combining classes, from the resource <c>decompositions.txt</c>, read when first needed.</summary>
internal sealed class UnicodeDecompositions
{
    private const string Resource = "RetNet.Vulkan.Text.decompositions.txt";

    // Hangul syllables are arithmetic (Unicode 3.12).
    private const int FirstSyllable = 0xAC00;
    private const int FirstLead = 0x1100;
    private const int FirstVowel = 0x1161;
    private const int BeforeFirstTail = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Tails = 28;

    private static readonly Lazy<UnicodeDecompositions> Loaded = new(() => new UnicodeDecompositions());

    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<(int First, int Second), int> _composites = [];
    private readonly Dictionary<int, int> _classes = [];

    private UnicodeDecompositions()
    {
        using var stream = typeof(UnicodeDecompositions).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
                ReadLine(line);
        }
    }

    /// <summary>The data.</summary>
    public static UnicodeDecompositions Instance => Loaded.Value;

    /// <summary>The canonical combining class of a character; 0 for one that marks do not pass.</summary>
    public int CombiningClass(int code) => _classes.GetValueOrDefault(code);

    /// <summary>Appends the full decomposition of a character.</summary>
    public void Decompose(int code, bool compatible, List<int> codes)
    {
        if ((uint)(code - FirstSyllable) < Leads * Vowels * Tails)
            DecomposeSyllable(code - FirstSyllable, codes);
        else if (_canonical.TryGetValue(code, out var parts) || (compatible && _compatible.TryGetValue(code, out parts)))
            Array.ForEach(parts, part => Decompose(part, compatible, codes));
        else
            codes.Add(code);
    }

    /// <summary>The character that two canonically are, if there is one.</summary>
    public bool TryCompose(int first, int second, out int composite)
    {
        var (lead, vowel) = (first - FirstLead, second - FirstVowel);
        if ((uint)lead < Leads && (uint)vowel < Vowels)
        {
            composite = FirstSyllable + (lead * Vowels + vowel) * Tails;
            return true;
        }

        var (syllable, tail) = (first - FirstSyllable, second - BeforeFirstTail);
        if ((uint)syllable < Leads * Vowels * Tails && syllable % Tails == 0 && tail is > 0 and < Tails)
        {
            composite = first + tail;
            return true;
        }

        return _composites.TryGetValue((first, second), out composite);
    }

    private static void DecomposeSyllable(int index, List<int> codes)
    {
        codes.Add(FirstLead + index / (Vowels * Tails));
        codes.Add(FirstVowel + index / Tails % Vowels);
        if (index % Tails > 0)
            codes.Add(BeforeFirstTail + index % Tails);
    }

    private void ReadLine(string line)
    {
        var mark = line.AsSpan().IndexOfAny("=!~:");
        if (line[mark] == ':')
        {
            var dots = line.IndexOf("..", StringComparison.Ordinal);
            var combining = int.Parse(line.AsSpan(mark + 1), CultureInfo.InvariantCulture);
            for (var code = Hex(line[..dots]); code <= Hex(line[(dots + 2)..mark]); code++)
                _classes.Add(code, combining);
            return;
        }

        int[] parts = [.. line[(mark + 1)..].Split(' ').Select(Hex)];
        (line[mark] == '~' ? _compatible : _canonical).Add(Hex(line[..mark]), parts);
        if (line[mark] == '=')
            _composites.Add((parts[0], parts[1]), Hex(line[..mark]));
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
