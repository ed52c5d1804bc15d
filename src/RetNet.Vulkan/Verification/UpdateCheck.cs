using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>adamw and sgd: an update with and without weight decay, several pieces of values, and none where the gradients' factor is zero.</summary>
internal sealed class UpdateCheck(string variant) : KernelCheck(variant, 1e-6)
{
    private const uint Piece = 256;
    private const int Count = 700;
    private const float Keep = 0.98f, Size = 0.05f, Correction = 0.3f, Rate = 0.1f, Momentum = 0.9f, Decay = 0.02f, MeanShare = 0.1f, SquareKeep = 0.95f, SquareShare = 0.05f, Eps = 1e-3f;

    private bool IsAdam => Variant == "adamw";

    private protected override void Run(CheckRun run)
    {
        foreach (var (decays, momentum, factor) in new[] { (true, true, 0.5f), (false, true, 2f), (true, false, 1f), (true, true, 0f) })
        {
            var (weights, gradients, first, second) = (run.Values(Count), run.Values(Count), run.Values(Count), run.Values(Count).Select(Math.Abs).ToArray());
            var settings = IsAdam ? new[] { 1, 0, Keep, Size, Correction } : [1, 0, Rate];
            run.Arena.Clear();
            var places = (W: run.Arena.AddOutput<float>("weights", weights), M: run.Arena.AddOutput<float>("first", first), V: run.Arena.AddOutput<float>("second", second));
            var (g, s, f) = (run.Arena.Add<float>("gradients", gradients), run.Arena.Add<float>("settings", settings), run.Arena.Add<float>("factor", [factor]));
            using Kernel kernel = IsAdam
                ? new Kernel<AdamWArguments>(run.Device, Variant, 32, Piece, Constant.Of(decays))
                : new Kernel<SgdArguments>(run.Device, Variant, 32, Piece, Constant.Of(decays), Constant.Of(momentum));
            run.Run($"decays {decays}, momentum {momentum}, factor {factor}", recorder => Dispatch(recorder, kernel, places, g, s, f));

            var (w, m, v) = (Doubles(weights), Doubles(first), Doubles(second));
            for (var i = 0; i < Count && factor != 0; i++)
                if (IsAdam)
                    Adam(ref w[i], ref m[i], ref v[i], (double)gradients[i] * factor, decays);
                else
                    Descend(ref w[i], ref m[i], (double)gradients[i] * factor, decays, momentum);
            run.Compare<float>("weights", w, run.Arena.Read<float>(places.W, Count));
            run.Compare<float>("first", m, run.Arena.Read<float>(places.M, Count));
            run.Compare<float>("second", v, run.Arena.Read<float>(places.V, Count));
        }
    }

    private static void Dispatch(Recorder recorder, Kernel kernel, (ulong W, ulong M, ulong V) places, ulong gradients, ulong settings, ulong factor)
    {
        const uint pieces = (Count + Piece - 1) / Piece;
        if (kernel is Kernel<AdamWArguments> adam)
            recorder.Dispatch(adam, new AdamWArguments
            {
                Weights = places.W,
                Gradients = gradients,
                First = places.M,
                Second = places.V,
                Settings = settings,
                Factor = factor,
                Count = Count,
                MeanShare = MeanShare,
                SquareKeep = SquareKeep,
                SquareShare = SquareShare,
                Eps = Eps,
            }, pieces);
        else
            recorder.Dispatch((Kernel<SgdArguments>)kernel, new SgdArguments
            {
                Weights = places.W,
                Gradients = gradients,
                First = places.M,
                Settings = settings,
                Factor = factor,
                Count = Count,
                Momentum = Momentum,
                Decay = Decay,
            }, pieces);
    }

    private static void Adam(ref double w, ref double m, ref double v, double g, bool decays)
    {
        m += MeanShare * (g - m);
        v = ((double)SquareKeep * v) + (SquareShare * g * g);
        w = (w * (decays ? (double)Keep : 1)) - (Size * m / ((Math.Sqrt(v) / Correction) + Eps));
    }

    private static void Descend(ref double w, ref double m, double g, bool decays, bool momentum)
    {
        g += decays ? Decay * w : 0;
        if (momentum)
            g = m = (Momentum * m) + g;
        w -= Rate * g;
    }

    private static double[] Doubles(float[] values) => [.. values.Select(value => (double)value)];
}
