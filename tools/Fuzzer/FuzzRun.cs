using System.Diagnostics;

namespace Fuzzer;

/// <summary>Feeds damaged files to one reader. The same seed makes the same files.</summary>
internal sealed class FuzzRun(ReaderTarget target, int seed, string folder)
{
    private const long AllocationLimit = 64 << 20;
    private const int AllocationPerByte = 100;
    private const int LongestMessage = 2000;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(2);

    /// <summary>Files that were refused as they should be.</summary>
    public int Refused { get; private set; }

    /// <summary>
    /// Reads <paramref name="count"/> damaged files and returns what is wrong with the reader, a line for each file that
    /// shows it; those files stay in the folder. A file at which the reader hangs stays there too.
    /// </summary>
    public List<string> Run(int count)
    {
        var failures = new List<string>();
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{target.Name}-{seed}-current");
        for (var i = 0; i < count; i++)
        {
            File.WriteAllBytes(path, Damaged(new Random(HashCode(i))));
            if (Check(path) is not { } problem)
                continue;
            var kept = Path.Combine(folder, $"{target.Name}-{seed}-{i}");
            File.Copy(path, kept, overwrite: true);
            failures.Add($"{kept}: {problem}");
        }

        File.Delete(path);
        return failures;
    }

    private byte[] Damaged(Random random)
    {
        var seeds = target.Seeds;
        var bytes = new Mutator(random).Mutate(seeds[random.Next(seeds.Count)], seeds[random.Next(seeds.Count)]);
        return target.Repair is { } repair && random.Next(2) == 0 ? repair(bytes) : bytes;
    }

    // Not System.HashCode, which differs from run to run.
    private int HashCode(int i) => unchecked(seed * 1_000_003 + i);

    private string? Check(string path)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        var problem = Problem(path);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (problem is not null)
            return problem;
        if (clock.Elapsed > TimeLimit)
            return $"took {clock.Elapsed.TotalSeconds:0.0} s";
        return allocated > AllocationLimit + AllocationPerByte * new FileInfo(path).Length ? $"allocated {allocated >> 20} MiB" : null;
    }

    private string? Problem(string path)
    {
        try
        {
            target.Read(path);
            return null;
        }
#pragma warning disable CA1031 // Any other exception is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Refused++;
            if (e.GetType() != target.Refusal)
                return $"{e.GetType()}: {e.Message.ReplaceLineEndings(" ")} {e.StackTrace?.Split('\n')[0].Trim()}";
            return e.Message.Length is 0 or > LongestMessage || e.Message.Any(char.IsControl) ? $"message is not one short line: {e.Message.ReplaceLineEndings(" ")}" : null;
        }
    }
}
