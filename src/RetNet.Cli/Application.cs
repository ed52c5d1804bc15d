using System.Globalization;
using System.Reflection;
using CommandLine;
using RetNet.Converter;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Text;
using RetNet.Vulkan.Training;

namespace RetNet.Cli;

/// <summary>Parses the command line, runs the verb, and makes one line of every error.</summary>
internal static class Application
{
    private static readonly Type[] Verbs = [typeof(GenerateCommand), typeof(DevicesCommand), typeof(ConvertCommand), typeof(InspectCommand), typeof(PerplexityCommand), typeof(LogitsCommand), typeof(VerifyCommand), typeof(TrainCommand), typeof(TrainCheckCommand), typeof(BenchCommand)];

    /// <summary>Runs the program.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args)
    {
        using var terminal = new Terminal();
        try
        {
            var code = Parse(args, terminal);
            terminal.Out.Flush();
            return code;
        }
        catch (OutputException e) when (e.ReaderHasGone)
        {
            return ExitCode.Success;
        }
        catch (Exception e)
        {
            terminal.Error.WriteLine($"retnet: {Message(e)}");
            if (Environment.GetEnvironmentVariable("RETNET_DEBUG") == "1")
                terminal.Error.WriteLine(e);
            return e is UsageException ? ExitCode.Usage : ExitCode.Failure;
        }
    }

    private static int Parse(string[] args, Terminal terminal)
    {
        using var parser = new Parser(settings =>
        {
            settings.HelpWriter = null;
            settings.AllowMultiInstance = true;
            settings.EnableDashDash = true;
            settings.ParsingCulture = CultureInfo.InvariantCulture;
        });
        if (args is ["help", { } topic, ..])
            args = [topic, "--help"];
        var verb = Verbs.FirstOrDefault(verb => VerbName(verb) == args.FirstOrDefault());
        var result = parser.ParseArguments(verb is null ? args : [args[0], .. Arguments.Normalize(args[1..], verb)], Verbs);
        return result is Parsed<object> parsed
            ? ((ICommand)parsed.Value).Run(terminal)
            : ShowHelp((NotParsed<object>)result, terminal);
    }

    private static int ShowHelp(NotParsed<object> result, Terminal terminal)
    {
        var error = result.Errors.First();
        if (error.Tag == ErrorType.VersionRequestedError)
            terminal.Out.WriteLine(HelpPage.Heading);
        else if (error.Tag is ErrorType.HelpRequestedError or ErrorType.HelpVerbRequestedError or ErrorType.NoVerbSelectedError)
            HelpPage.Write(result, terminal.Out);
        else
            throw new UsageException($"{UsageErrors.Describe(error, result.TypeInfo.Current)} (see '{HelpOf(result.TypeInfo.Current)}')");
        return ExitCode.Success;
    }

    private static string? VerbName(Type verb) => verb.GetCustomAttribute<VerbAttribute>()?.Name;

    private static string HelpOf(Type verb) => VerbName(verb) is { } name ? $"retnet {name} --help" : "retnet --help";

    private static string Message(Exception e) => e switch
    {
        CommandException or GgufException or GpuException or ModelException or TokenizerException or ConverterException or TrainingException => e.Message,
        AggregateException { InnerExceptions.Count: 1 } => Message(e.InnerException!),
        _ => $"internal error: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}",
    };
}
