using System.Globalization;
using Fuzzer;

const string Usage = "usage: dotnet run --project tools/Fuzzer -c Release -- [--reader NAME] [--seed N] [--count N] [--output FOLDER]";
const int MostShown = 20;

var (reader, seed, count, output) = ((string?)null, 1, 100_000, Path.Combine(Path.GetTempPath(), "retnet-fuzz"));
for (var i = 0; i < args.Length; i += 2)
{
    var value = i + 1 < args.Length ? args[i + 1] : "";
    var number = int.TryParse(value, CultureInfo.InvariantCulture, out var parsed) ? parsed : (int?)null;
    switch (args[i])
    {
        case "--reader" when Readers.All.Any(target => target.Name == value):
            reader = value;
            break;
        case "--seed" when number is not null:
            seed = number.Value;
            break;
        case "--count" when number > 0:
            count = number.Value;
            break;
        case "--output" when value.Length > 0:
            output = value;
            break;
        default:
            Console.Error.WriteLine($"{Usage}\nreaders: {string.Join(", ", Readers.All.Select(target => target.Name))}");
            return 2;
    }
}

var failed = false;
foreach (var target in Readers.All.Where(target => reader is null || target.Name == reader))
{
    var run = new FuzzRun(target, seed, output);
    var failures = run.Run(count);
    failed |= failures.Count > 0;
    failures.Take(MostShown).ToList().ForEach(Console.WriteLine);
    Console.WriteLine($"{target.Name}: {count} files, {run.Refused} refused, {count - run.Refused} read, {failures.Count} failures");
}

return failed ? 1 : 0;
