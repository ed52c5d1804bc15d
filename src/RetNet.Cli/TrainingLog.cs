using System.Globalization;
using System.Text;
using System.Text.Json;
using RetNet.Vulkan.Training;

namespace RetNet.Cli;

/// <summary>The steps of a run as a CSV file, or as JSON Lines where its name ends in <c>.jsonl</c>; a line a step, written as it happens.</summary>
internal sealed class TrainingLog : IDisposable
{
    private readonly string _path;
    private readonly bool _json;
    private readonly StreamWriter _writer;

    /// <param name="path">The file; replaced.</param>
    /// <param name="history">The steps of a run that goes on; what came after its checkpoint comes again.</param>
    public TrainingLog(string path, IEnumerable<TrainingRow> history)
    {
        (_path, _json) = (path, Path.GetExtension(path).Equals(".jsonl", StringComparison.OrdinalIgnoreCase));
        _writer = OnFile(() => new StreamWriter(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" });
        OnFile(() =>
        {
            if (!_json)
                _writer.WriteLine("step,loss,val_loss,learning_rate,gradient_norm,loss_scale,tokens,seconds");
            foreach (var row in history)
                _writer.WriteLine(Line(row));
            _writer.Flush();
            return 0;
        });
    }

    public void Add(TrainingRow row) => OnFile(() =>
    {
        _writer.WriteLine(Line(row));
        _writer.Flush();
        return 0;
    });

    public void Dispose()
    {
        try
        {
            _writer.Dispose();
        }
        catch (IOException)
        {
            // Whoever wrote the line that did not fit was told.
        }
    }

    private string Line(TrainingRow row) => _json ? Json(row) : string.Join(',',
        row.Step.ToString(CultureInfo.InvariantCulture), Number(row.Loss), Number(row.ValidationLoss), Number(row.LearningRate), Number(row.GradientNorm), Number(row.LossScale), row.Tokens.ToString(CultureInfo.InvariantCulture), Number(row.Seconds));

    private static string Number(float value) => float.IsNaN(value) ? "" : value.ToString(CultureInfo.InvariantCulture);

    private static string Json(TrainingRow row)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("step", row.Step);
            WriteNumber(json, "loss", row.Loss);
            WriteNumber(json, "val_loss", row.ValidationLoss);
            WriteNumber(json, "learning_rate", row.LearningRate);
            WriteNumber(json, "gradient_norm", row.GradientNorm);
            WriteNumber(json, "loss_scale", row.LossScale);
            json.WriteNumber("tokens", row.Tokens);
            WriteNumber(json, "seconds", row.Seconds);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>JSON has no infinity; such a step has none of that.</summary>
    private static void WriteNumber(Utf8JsonWriter json, string name, float value)
    {
        if (float.IsFinite(value))
            json.WriteNumber(name, value);
    }

    private T OnFile<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CommandException($"{_path}: cannot be written: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
