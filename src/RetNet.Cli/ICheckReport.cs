using System.Text.Json;

namespace RetNet.Cli;

/// <summary>What a <see cref="CheckCommand"/> found.</summary>
internal interface ICheckReport
{
    /// <summary>Whether nothing was wrong.</summary>
    bool IsRight { get; }

    /// <summary>Writes it as tables with a verdict.</summary>
    void Write(TextWriter writer);

    /// <summary>Writes it as one JSON object.</summary>
    void Write(Utf8JsonWriter json);
}
