using System.Globalization;
using RetNet.Converter;

namespace RetNet.Cli;

/// <summary>A conversion's progress: a bar in a terminal, a line every tenth of the way elsewhere.</summary>
internal sealed class ConversionLines(TextWriter writer, string title, bool terminal) : IProgress<ConversionProgress>
{
    private readonly ProgressLine? _bar = terminal ? new ProgressLine(writer, title) : null;
    private int _tenths;

    public void Report(ConversionProgress value)
    {
        var share = value.Bytes > 0 ? (double)value.BytesDone / value.Bytes : 1;
        if (_bar is not null)
        {
            _bar.Report(share);
        }
        else if ((int)(share * 10) is var tenths && tenths > _tenths)
        {
            _tenths = tenths;
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}: {tenths * 10} %, {value.TensorsDone} of {value.Tensors} tensors"));
        }
    }

    public void Clear() => _bar?.Clear();
}
