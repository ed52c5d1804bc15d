using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>cross_entropy: loss and gradient of rows, large logits, ignored targets; without the gradient the logits stay.</summary>
internal sealed class CrossEntropyCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const int Ignored = -1;
    private const float Scale = 8;

    private protected override void Run(CheckRun run)
    {
        foreach (var threads in new[] { 32u, 256u })
            foreach (var gradient in new[] { true, false })
            {
                using var kernel = new Kernel<CrossEntropyArguments>(run.Device, Variant, threads, Constant.Of(gradient));
                foreach (var (rows, columns, offset) in new[] { (1, 1, 0f), (4, 33, 0f), (3, 700, 3000f), (3, 65, -3000f) })
                    Run(run, kernel, gradient, rows, columns, offset);
            }
    }

    private static void Run(CheckRun run, Kernel<CrossEntropyArguments> kernel, bool gradient, int rows, int columns, float offset)
    {
        var stride = columns + 7;
        var before = run.Values(rows * stride).Select(value => (12 * value) + offset).ToArray();
        var targets = Enumerable.Range(0, rows).Select(row => row == 1 ? Ignored : row == 2 ? columns - 1 : run.Random.Next(columns)).ToArray();
        run.Arena.Clear();
        var logits = run.Arena.AddOutput<float>("logits", before);
        var losses = run.Arena.AddOutput<float>("losses", new float[rows]);
        var arguments = new CrossEntropyArguments
        {
            Logits = logits,
            Targets = run.Arena.Add<int>("targets", targets),
            Losses = losses,
            Scale = run.Arena.Add<float>("scale", [Scale]),
            Columns = (uint)columns,
            Stride = (uint)stride,
        };
        run.Run($"{rows} × {columns}, logits about {offset}{(gradient ? "" : ", no gradient")}", recorder => recorder.Dispatch(kernel, arguments, (uint)rows));

        // What lies between the rows is to stay, however large beside the gradients.
        var after = run.Arena.Read<float>(logits, before.Length);
        for (var i = 0; i < before.Length; i++)
            if ((i % stride >= columns || !gradient) && after[i] != before[i])
                run.Report(double.PositiveInfinity, $"logit {i} of {before.Length} was {before[i]} and is {after[i]}");
        var expectedLosses = new double[rows];
        var expected = new double[rows * columns];
        for (var row = 0; row < rows; row++)
        {
            var target = targets[row];
            if (target == Ignored)
                continue;
            var values = before.Skip(row * stride).Take(columns).Select(value => (double)value).ToArray();
            var largest = values.Max();
            var sum = values.Sum(value => Math.Exp(value - largest));
            expectedLosses[row] = Math.Log(sum) + largest - values[target];
            for (var i = 0; i < columns; i++)
                expected[(row * columns) + i] = Scale * ((Math.Exp(values[i] - largest) / sum) - (i == target ? 1 : 0));
        }

        run.Compare<float>("losses", expectedLosses, run.Arena.Read<float>(losses, rows));
        if (gradient)
            run.Compare<float>("gradient", expected, [.. Enumerable.Range(0, rows).SelectMany(row => after.Skip(row * stride).Take(columns))]);
    }
}
