using System.Globalization;
using CommandLine;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Cli;

/// <summary>Shows what is in a GGUF file.</summary>
[Verb("inspect", HelpText = "Show settings, tensors and metadata of a GGUF file.")]
internal sealed class InspectCommand : ICommand
{
    private const int LongestValue = 60;

    [Value(0, MetaName = "FILE", Required = true, HelpText = "The GGUF file.")]
    public string Path { get; set => field = Arguments.Plain(value); } = "";

    [Value(1, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    [Option("json", HelpText = "Everything, unshortened, as JSON.")]
    public bool Json { get; set; }

    public int Run(Terminal terminal)
    {
        if (Rest.FirstOrDefault() is { } extra)
            throw new UsageException($"there is one file, '{extra}' is one too many");
        using var file = GgufFile.Open(Path);
        var contents = new GgufContents(file);
        if (Json)
            JsonOutput.Write(terminal.Out, contents.WriteJson);
        else
            Write(terminal.Out, contents);
        return ExitCode.Success;
    }

    private static void Write(TextWriter writer, GgufContents contents)
    {
        var file = contents.File;
        writer.WriteLine(FormattableString.Invariant(
            $"{file.Path}: GGUF {file.Version}, {MemoryPlan.Size((ulong)file.Length)}, {contents.Architecture ?? "no architecture"}, {contents.Parameters:N0} parameters, {file.Tensors.Count} tensors, mainly {contents.MainType?.Name ?? "nothing"}"));
        if (contents.Problem is { } problem)
            writer.WriteLine($"cannot be run: {problem}");
        writer.WriteLine();
        WriteMetadata(writer, file);
        writer.WriteLine();
        WriteTensors(writer, contents);
    }

    private static void WriteMetadata(TextWriter writer, GgufFile file)
    {
        var table = new TextTable("metadata", "value");
        foreach (var (key, value) in file.Metadata)
            table.Add(Printable(key), Shorten(value));
        table.Write(writer);
    }

    private static void WriteTensors(TextWriter writer, GgufContents contents)
    {
        var table = new TextTable("tensor", "shape>", "type", "bytes>", "");
        foreach (var tensor in contents.File.Tensors.Values)
            table.Add(Printable(tensor.Name), tensor.Shape, tensor.Type.Name, tensor.Bytes.ToString(CultureInfo.InvariantCulture), contents.Deviates(tensor) ? $"* not {contents.MainType!.Name}" : "");
        table.Write(writer);
    }

    private static string Shorten(object value)
    {
        if (value is not Array array)
            return Cut(Printable(Text(value)));
        var elements = string.Join(", ", array.Cast<object>().Take(8).Select(element => element is Array ? "[...]" : Text(element)));
        return $"[{array.Length}] {Cut(Printable(elements))}";
    }

    private static string Cut(string text) => text.Length <= LongestValue ? text : $"{text[..LongestValue]}... ({text.Length} characters)";

    private static string Text(object value) => value is bool flag ? (flag ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsWhiteSpace(c) ? ' ' : char.IsControl(c) ? '\uFFFD' : c));
}
