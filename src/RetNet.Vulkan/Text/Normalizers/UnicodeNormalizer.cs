using System.Runtime.InteropServices;
using System.Text;

namespace RetNet.Vulkan.Text.Normalizers;

/// <summary>A normalisation form of Unicode (UAX #15).</summary>
/// <remarks>
/// Not <see cref="string.Normalize()"/>: that does nothing in a program with invariant globalisation, and what it does
/// elsewhere depends on the ICU of the machine.
/// </remarks>
internal sealed class UnicodeNormalizer(UnicodeForm form) : INormalizer
{
    // Below it nothing composes, in the compatible forms nothing below U+00A0 decomposes, in the others nothing below U+00C0.
    private const char FirstMark = '\u0300';
    private const char FirstDecomposed = '\u00A0';

    /// <inheritdoc/>
    public string Normalize(string text)
    {
        var last = (char)((form.Compose && !form.Compatible ? FirstMark : FirstDecomposed) - 1);
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', last))
            return text;

        var codes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            UnicodeDecompositions.Instance.Decompose(rune.Value, form.Compatible, codes);
        Reorder(codes);
        if (form.Compose)
            Compose(codes);

        var result = new StringBuilder(text.Length);
        foreach (var code in codes)
            result.Append(new Rune(code).ToString());
        return result.ToString();
    }

    /// <summary>Sorts each run of marks by combining class, equal classes staying in order (Unicode D109).</summary>
    private static void Reorder(List<int> codes)
    {
        var classes = codes.ConvertAll(UnicodeDecompositions.Instance.CombiningClass);
        for (int start = 0, end; start < codes.Count; start = end + 1)
        {
            end = start;
            while (end < codes.Count && classes[end] != 0)
                end++;
            if (end - start < 2)
                continue;
            int[] sorted = [.. Enumerable.Range(start, end - start).OrderBy(i => classes[i]).Select(i => codes[i])];
            sorted.CopyTo(CollectionsMarshal.AsSpan(codes)[start..end]);
        }
    }

    /// <summary>Joins marks to the last starter before them unless a mark of the same or a higher class stands between (Unicode D117).</summary>
    private static void Compose(List<int> codes)
    {
        var data = UnicodeDecompositions.Instance;
        var (count, starter, lastClass) = (0, -1, -1);
        foreach (var code in codes.ToArray())
        {
            var combining = data.CombiningClass(code);
            if (starter >= 0 && lastClass < combining && data.TryCompose(codes[starter], code, out var composite))
            {
                codes[starter] = composite;
                continue;
            }

            if (combining == 0)
                starter = count;
            // A starter right after a starter may compose with it, one after a mark may not.
            lastClass = combining == 0 ? -1 : combining;
            codes[count++] = code;
        }

        codes.RemoveRange(count, codes.Count - count);
    }
}
