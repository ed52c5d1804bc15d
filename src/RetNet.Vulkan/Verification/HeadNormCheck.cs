using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>head_norm: with and without gate, scaled ε, torchscale's clamp and mean.</summary>
internal sealed class HeadNormCheck(string variant) : KernelCheck(variant, 3e-6)
{
    /// <summary>What f16 outputs are off more than f32 ones.</summary>
    private const double HalfSlack = 200;

    private const int Heads = 3;
    private const int Rows = 5;
    private const float Eps = 1e-2f;

    private static readonly Form[] Forms = [new(32, true, true, false, false), new(256, false, false, false, true), new(32, true, true, true, false), new(256, true, true, false, true)];

    private readonly record struct Form(uint Threads, bool Gated, bool EpsScaled, bool Clamped, bool SubtractMean);

    private protected override void Run(CheckRun run)
    {
        foreach (var form in Forms)
        {
            using var kernel = new Kernel<HeadNormArguments>(
                run.Device, Variant, form.Threads, Heads, Constant.Of(form.Gated), Constant.Of(form.EpsScaled), Constant.Of(form.Clamped), Constant.Of(form.SubtractMean), Constant.Of(HalfGate(form)));
            foreach (var valueSize in new[] { 1, 54, 300 })
                Run(run, kernel, form, valueSize);
        }
    }

    /// <summary>Gates may be f16 where results are; here in every other form.</summary>
    private bool HalfGate(Form form) => IsHalf && form.EpsScaled;

    private bool IsHalf => Variant.EndsWith("_f16", StringComparison.Ordinal);

    private void Run(CheckRun run, Kernel<HeadNormArguments> kernel, Form form, int valueSize)
    {
        var (stride, gateStride) = (Heads * valueSize + 5, Heads * valueSize + 9);
        var decay = CheckDecay.Of(Heads);
        uint[] positions = [1, 2, 70, 5000, 1_000_000];
        var before = run.Values(Rows * stride).Select(value => value + 0.25f).ToArray();
        var gates = run.Values(Rows * gateStride).Select(value => (float)(Half)value).ToArray();
        var weight = run.Values(valueSize);
        var scores = run.Values(Rows * Heads).Select(value => (value + 1) * 40).ToArray();
        run.Arena.Clear();
        var y = IsHalf ? run.Arena.AddOutput<Half>("y", [.. before.Select(value => (Half)value)]) : run.Arena.AddOutput<float>("y", before);
        var arguments = new HeadNormArguments
        {
            O = IsHalf ? run.Arena.Add<float>("o", before) : y,
            Y = y,
            G = HalfGate(form) ? run.Arena.Add<Half>("gates", [.. gates.Select(value => (Half)value)]) : run.Arena.Add<float>("gates", gates),
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

        var norm = new Norm(weight, null, form.SubtractMean);
        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < Rows; row++)
            for (var head = 0; head < Heads; head++)
            {
                var sum = DecaySum.Of(decay[head], positions[row] - 1);
                var clamp = form.Clamped ? Math.Clamp(scores[row * Heads + head] / Math.Sqrt(sum), 1, 5e4) : 1;
                var part = expected.AsSpan(row * stride + head * valueSize, valueSize);
                norm.Apply(part, form.EpsScaled ? Eps * sum * clamp * clamp : Eps);
                for (var i = 0; form.Gated && i < valueSize; i++)
                    part[i] *= Reference.Activations.Silu(gates[row * gateStride + head * valueSize + i]);
            }

        if (IsHalf)
            run.Compare<Half>("y", expected, run.Arena.Read<Half>(y, before.Length), HalfSlack);
        else
            run.Compare<float>("y", expected, run.Arena.Read<float>(y, before.Length));
    }
}
