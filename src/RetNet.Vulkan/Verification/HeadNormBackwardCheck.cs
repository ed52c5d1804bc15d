using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>head_norm_backward: with and without gate, weight, scaled ε, torchscale's clamp and mean.</summary>
internal sealed class HeadNormBackwardCheck(string variant) : KernelCheck(variant, 5e-6)
{
    private const int Heads = 3;
    private const int Rows = 5;
    private const float Eps = 1e-2f;

    private static readonly Form[] Forms =
    [
        new(32, Gated: true, EpsScaled: true, Clamped: false, SubtractMean: false, Weighted: true),
        new(256, Gated: false, EpsScaled: false, Clamped: false, SubtractMean: true, Weighted: true),
        new(32, Gated: true, EpsScaled: true, Clamped: true, SubtractMean: false, Weighted: false),
        new(256, Gated: true, EpsScaled: true, Clamped: false, SubtractMean: true, Weighted: false),
    ];

    private readonly record struct Form(uint Threads, bool Gated, bool EpsScaled, bool Clamped, bool SubtractMean, bool Weighted);

    private protected override void Run(CheckRun run)
    {
        foreach (var form in Forms)
        {
            using var kernel = new Kernel<HeadNormBackwardArguments>(
                run.Device, Variant, form.Threads, Heads, Constant.Of(form.Gated), Constant.Of(form.EpsScaled), Constant.Of(form.Clamped), Constant.Of(form.SubtractMean), Constant.Of(form.Weighted));
            foreach (var valueSize in new[] { 2, 54, 300 })
                Run(run, kernel, form, valueSize);
        }
    }

    private static void Run(CheckRun run, Kernel<HeadNormBackwardArguments> kernel, Form form, int valueSize)
    {
        var (stride, gateStride) = (Heads * valueSize + 5, Heads * valueSize + 9);
        var decay = CheckDecay.Of(Heads);
        uint[] positions = [1, 2, 70, 5000, 1_000_000];
        var o = run.Values(Rows * stride).Select(value => value + 0.25f).ToArray();
        var (dyBefore, dOBefore) = (run.Values(Rows * stride), run.Values(Rows * stride));
        var (gates, dgBefore, weight) = (run.Values(Rows * gateStride), run.Values(Rows * gateStride), run.Values(valueSize));
        var scores = run.Values(Rows * Heads).Select(value => (value + 1) * 40).ToArray();
        run.Arena.Clear();
        var dy = run.Arena.AddOutput<float>("dy", dyBefore);
        var dO = run.Arena.AddOutput<float>("do", dOBefore);
        var dg = run.Arena.AddOutput<float>("dg", dgBefore);
        var arguments = new HeadNormBackwardArguments
        {
            O = run.Arena.Add<float>("o", o),
            Dy = dy,
            DO = dO,
            G = run.Arena.Add<float>("gates", gates),
            Dg = dg,
            HeadWeight = run.Arena.Add<float>("weight", weight),
            Decay = run.Arena.Add<float>("decay", RetNetModel.DecayTable(decay)),
            Positions = run.Arena.Add<uint>("positions", positions),
            Scores = run.Arena.Add<float>("scores", scores),
            Stride = (uint)stride,
            GateStride = (uint)gateStride,
            ValueSize = (uint)valueSize,
            Eps = Eps,
        };
        run.Run($"{form}, dv {valueSize}", recorder => recorder.Dispatch(kernel, arguments, Rows * Heads));

        double[] Doubles(float[] values) => [.. values.Select(value => (double)value)];
        var (expectedDy, expectedDO, expectedDg) = (Doubles(dyBefore), Doubles(dOBefore), Doubles(dgBefore));
        for (var row = 0; row < Rows; row++)
            for (var head = 0; head < Heads; head++)
            {
                var (at, gateAt) = (row * stride + head * valueSize, row * gateStride + head * valueSize);
                var sum = DecaySum.Of(decay[head], positions[row] - 1);
                var clamp = form.Clamped ? Math.Clamp(scores[row * Heads + head] / Math.Sqrt(sum), 1, 5e4) : 1;
                var gated = new float[valueSize];
                for (var i = 0; i < valueSize; i++)
                    gated[i] = (float)(dyBefore[at + i] * (form.Gated ? Reference.Activations.Silu(gates[gateAt + i]) : 1));
                var gradient = new NormGradient(o.AsSpan(at, valueSize), gated, weight, form.SubtractMean, form.EpsScaled ? Eps * sum * clamp * clamp : Eps);
                for (var i = 0; i < valueSize; i++)
                {
                    expectedDO[at + i] = gradient.Input[i];
                    if (form.Gated)
                        expectedDg[gateAt + i] = dyBefore[at + i] * gradient.Normed[i] * weight[i] * ActivationGradient.Of(Activation.Silu, gates[gateAt + i]);
                    if (form.Weighted)
                        expectedDy[at + i] = gated[i] * gradient.Normed[i];
                }
            }

        run.Compare<float>("do", expectedDO, run.Arena.Read<float>(dO, expectedDO.Length));
        run.Compare<float>("dg", expectedDg, run.Arena.Read<float>(dg, expectedDg.Length));
        run.Compare<float>("dy", expectedDy, run.Arena.Read<float>(dy, expectedDy.Length));
    }
}
