using System.Reflection;
using CommandLine;
using CommandLine.Text;

namespace RetNet.Cli;

/// <summary>The pages of <c>--help</c>.</summary>
internal static class HelpPage
{
    private const int Width = 100;

    private static readonly Dictionary<Type, string[]> Examples = new()
    {
        [typeof(GenerateCommand)] =
        [
            "retnet generate \"Once upon a time\"",
            "retnet generate \"The old man\" --temp 0 -n 50 --stop \".\"",
            "retnet generate -f prompt.txt -m model.gguf -d nvidia > story.txt",
            "echo \"The wind\" | retnet generate - --seed 7 --quiet",
            "retnet generate --prompts prompts.txt -n 100 --seed 1 > stories.txt",
            "retnet generate \"Once upon a time\" --save-state story.state",
            "retnet generate --load-state story.state --save-state story.state",
        ],
        [typeof(DevicesCommand)] = ["retnet devices", "retnet devices --json", "retnet devices --kernels -d radv"],
        [typeof(ConvertCommand)] = ["retnet convert path/to/checkpoint -o model.gguf -t q8_0", "retnet convert model.f16.gguf -o model.iq4_nl.gguf -t iq4_nl"],
        [typeof(PerplexityCommand)] = ["retnet perplexity -f text.txt", "retnet perplexity -m model.gguf -f text.txt --ctx 2048 --mode recurrent"],
        [typeof(LogitsCommand)] = ["retnet logits --tokens 0,17,4 -o logits.safetensors", "retnet logits -m model.gguf --tokens ids.safetensors --mode recurrent --states -o logits.safetensors"],
        [typeof(VerifyCommand)] = ["retnet verify", "retnet verify -m model.gguf -d nvidia --json"],
        [typeof(TrainCheckCommand)] = ["retnet train-check", "retnet train-check -m path/to/checkpoint --exact torchscale", "retnet train-check -m model.gguf --tokens ids.safetensors --chunk 64 -d nvidia --json"],
        [typeof(BenchCommand)] =
        [
            "retnet bench",
            "retnet bench --shape 1.3b --type f16,q8_0,q4_0 --batch 1,8,32 --depth 0,2048,8192 --plot bench.svg",
            "retnet bench -m model.gguf --prompt 512,2048 --profile --json bench.json",
        ],
        [typeof(TrainCommand)] =
        [
            "retnet train --shape 128,4,4,32,64,256 --tokenizer tokenizer.json --tied --text tales.txt --out tales --steps 2000 --plot tales.svg",
            "retnet train --out tales --resume",
            "retnet train -m model.gguf --lora 8 --text notes.txt --out notes --steps 200",
        ],
        [typeof(InspectCommand)] = ["retnet inspect model.gguf", "retnet inspect model.gguf --json"],
    };

    /// <summary>The program's name and version.</summary>
    public static string Heading { get; } = $"retnet {typeof(HelpPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion}";

    public static void Write(NotParsed<object> result, TextWriter writer)
    {
        var verb = result.TypeInfo.Current;
        var isVerb = Examples.TryGetValue(verb, out var examples);
        var help = new HelpText(Heading)
        {
            Copyright = "RetNet language models on any Vulkan GPU",
            AddDashesToOption = isVerb,
            AdditionalNewLineAfterOption = false,
            MaximumDisplayWidth = Width,
            AutoVersion = false,
            AutoHelp = false,
        };
        if (isVerb)
            AddVerb(help, result, verb);
        else
            AddProgram(help);
        help.AddPostOptionsLines(["Examples:", .. (examples ?? Examples.Values.Select(lines => lines[0])).Select(line => "  " + line)]);
        if (!isVerb)
            help.AddPostOptionsText(Environment.NewLine + "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.");
        writer.WriteLine(help.ToString());
    }

    private static void AddProgram(HelpText help)
    {
        help.AddPreOptionsLine(Environment.NewLine + "retnet VERB [OPTIONS]; 'retnet VERB --help' explains a verb.");
        help.AddVerbs([.. Examples.Keys]);
    }

    private static void AddVerb(HelpText help, NotParsed<object> result, Type verb)
    {
        var attribute = verb.GetCustomAttribute<VerbAttribute>()!;
        help.AddPreOptionsLine($"{Environment.NewLine}retnet {attribute.Name}: {attribute.HelpText}");
        help.AddOptions(result);
    }
}
