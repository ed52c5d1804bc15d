using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;

namespace RetNet.Cli;

/// <summary>What a generation took, for people.</summary>
internal static class GenerationReport
{
    /// <summary>One line: speed of prompt and decoding, why it ended, and what repeats it.</summary>
    public static void WriteSummary(TextWriter writer, GenerationStatistics statistics, ulong seed, string device)
    {
        var s = statistics;
        writer.WriteLine(FormattableString.Invariant(
            $"prompt: {s.PromptTokens} tokens in {s.PromptTime.TotalSeconds:F2} s ({s.PromptRate:F1} tokens/s); generated: {s.Tokens} tokens in {s.DecodeTime.TotalSeconds:F2} s ({s.DecodeRate:F1} tokens/s), {Reason(s.Reason)}; seed {seed}; {device}"));
    }

    /// <summary>One line: speed of all sequences together and of each, and what repeats them.</summary>
    public static void WriteSummary(TextWriter writer, BatchStatistics statistics, ulong seed, string device)
    {
        var s = statistics;
        writer.WriteLine(FormattableString.Invariant(
            $"prompts: {s.Sequences}, {s.PromptTokens} tokens; generated: {s.Tokens} tokens in {s.Time.TotalSeconds:F2} s ({s.Rate:F1} tokens/s together, {s.SequenceRate:F1} each); seeds from {seed}; {device}"));
    }

    /// <summary>A table of GPU time by kernel, longest first.</summary>
    public static void WriteKernels(TextWriter writer, KernelTimings timings)
    {
        var total = timings.Totals.Values.Sum(kernel => kernel.Seconds);
        var table = new TextTable("kernel", "dispatches>", "ms>", "share>", "µs each>");
        foreach (var (name, (count, seconds)) in timings.Totals.OrderByDescending(kernel => kernel.Value.Seconds))
            table.Add(name, $"{count}", Number(seconds * 1e3), FormattableString.Invariant($"{seconds / total:P1}"), Number(seconds * 1e6 / count));
        table.Add("all", $"{timings.Totals.Values.Sum(kernel => kernel.Count)}", Number(total * 1e3), "", "");
        table.Write(writer);
    }

    private static string Number(double value) => FormattableString.Invariant($"{value:F2}");

    private static string Reason(StopReason reason) => reason switch
    {
        StopReason.Length => "as many as asked for",
        StopReason.EndOfText => "ended by the model",
        StopReason.StopString => "ended by a stop text",
        _ => "interrupted",
    };
}
