using System.Diagnostics;
using System.Globalization;
using LongSequences;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

const string Usage = "usage: dotnet run --project bench/LongSequences -c Release -- [TOKENS [f32|f16 [DEVICE]]]    TOKENS: 1000, 10000, ... (default 1000000); f32 or f16 states";
var length = 1_000_000L;
var stateType = StateType.F32;
if (args.Length > 3 || (args.Length > 1 && !Enum.TryParse(args[1], ignoreCase: true, out stateType)) || (args.Length > 0 && (!long.TryParse(args[0], CultureInfo.InvariantCulture, out length) || length < Sequence.Piece)))
{
    Console.Error.WriteLine(Usage);
    return 2;
}

var path = Path.GetTempFileName();
Sequence.Model.Write(path, GgmlType.F32);
using var instance = new GpuInstance();
using var device = new GpuDevice(instance.Choose(args.ElementAtOrDefault(2)));
using var file = GgufFile.Open(path);
using var model = RetNetModel.Load(device, file, new MemoryPlan());
File.Delete(path);
using var recurrent = new Follower(model, new EvaluationOptions { Mode = ComputationMode.Recurrent, StateType = stateType });
using var chunkwise = new Follower(model, new EvaluationOptions { Mode = ComputationMode.Chunkwise, StateType = stateType });
Follower[] followers = [recurrent, chunkwise];
var oracle = Sequence.Model.Reference;
var (state, chunkState) = (new ReferenceState(oracle.Config), new ReferenceState(oracle.Config));
var watch = Stopwatch.StartNew();

// The reference's two forms sum in different orders: what they differ by is its own rounding.
Console.WriteLine($"{device.Gpu.Name}, states in {stateType}: max|difference| / max|value| of the last {Sequence.Piece} tokens' logits, and of the states");
Console.WriteLine("| tokens | recurrent: logits | states | chunkwise: logits | states | reference's own: logits |");
Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
var row = Sequence.Piece;
for (long position = 0; position < length;)
{
    var tokens = Sequence.Tokens(position);
    var expected = oracle.Recurrent(tokens, state);
    var own = new Drift();
    own.Add(expected, oracle.Chunkwise(tokens, SequenceOptions.DefaultChunkLength, chunkState));
    foreach (var follower in followers)
        follower.Follow(tokens, expected);
    position += tokens.Length;
    if (position < row && position < length)
        continue;
    var columns = followers.Select(follower => $"{follower.Logits} | {follower.States(state)}");
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {position:N0} | {string.Join(" | ", columns)} | {own} |"));
    row *= 10;
}

Console.Error.WriteLine($"{watch.Elapsed.TotalSeconds:0} s");
return 0;
