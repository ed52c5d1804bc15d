using System.Text;

namespace RetNet.Cli;

/// <summary>Columns of text, each as wide as its widest cell.</summary>
/// <param name="headings">One a column; a trailing <c>&gt;</c> aligns it to the right.</param>
internal sealed class TextTable(params string[] headings)
{
    private readonly List<string[]> _rows = [[.. headings.Select(heading => heading.TrimEnd('>'))]];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write(TextWriter writer)
    {
        var widths = headings.Select((_, column) => _rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in _rows)
        {
            var line = new StringBuilder();
            for (var column = 0; column < row.Length; column++)
                line.Append(headings[column].EndsWith('>') ? row[column].PadLeft(widths[column]) : row[column].PadRight(widths[column])).Append("  ");
            writer.WriteLine(line.ToString().TrimEnd());
        }
    }
}
