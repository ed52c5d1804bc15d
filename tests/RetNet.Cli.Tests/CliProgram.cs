using System.Diagnostics;
using System.Text;

namespace RetNet.Cli.Tests;

/// <summary>Runs the built program as a process.</summary>
internal static class CliProgram
{
    private const int LongestRun = 120_000;

    public static CliResult Run(params string[] arguments) => Run(arguments, "");

    public static CliResult Run(string[] arguments, string input, params (string Name, string? Value)[] environment)
    {
        using var process = Start(arguments, environment);
        using (var stdin = new StreamWriter(process.StandardInput.BaseStream, new UTF8Encoding(false)))
            stdin.Write(input);
        return Finish(process);
    }

    public static Process Start(string[] arguments, params (string Name, string? Value)[] environment)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        // Tests that run in the background have SIGINT ignored and would hand that on.
        string[] command = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", host] : [host];
        var info = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
        };
        info.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "retnet.dll"));
        foreach (var argument in arguments)
            info.ArgumentList.Add(argument);
        info.Environment.Remove("RETNET_DEBUG");
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        return Process.Start(info)!;
    }

    public static CliResult Finish(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        var copy = process.StandardOutput.BaseStream.CopyToAsync(output);
        if (!process.WaitForExit(LongestRun))
        {
            process.Kill();
            Assert.Fail("the program did not end");
        }

        Task.WaitAll(error, copy);
        return new CliResult(process.ExitCode, output.ToArray(), error.Result);
    }
}
