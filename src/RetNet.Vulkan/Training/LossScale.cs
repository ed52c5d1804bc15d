namespace RetNet.Vulkan.Training;

/// <summary>
/// The factor on the loss that lifts small gradients into the range of f16 (Micikevicius et al., "Mixed Precision Training",
/// 2018): it halves when a gradient overflows and doubles after <see cref="GoodStepsToDouble"/> steps without, as
/// torch.amp.GradScaler does.
/// </summary>
/// <param name="Value">The factor, a power of two.</param>
/// <param name="GoodSteps">Steps since it last changed.</param>
/// <param name="Dynamic">Whether it adapts; f32 needs none and keeps 1.</param>
public readonly record struct LossScale(double Value, int GoodSteps, bool Dynamic)
{
    /// <summary>Steps without overflow after which the factor doubles.</summary>
    public const int GoodStepsToDouble = 2000;

    private const double Largest = 1 << 24;

    /// <summary>No scaling, for gradients in f32.</summary>
    public static LossScale None { get; } = new(1, 0, Dynamic: false);

    /// <summary>Where dynamic scaling begins.</summary>
    public static LossScale Initial { get; } = new(1 << 16, 0, Dynamic: true);

    /// <summary>Whether an overflow can be answered by a smaller factor.</summary>
    public bool CanFall => Dynamic && Value > 1;

    /// <summary>The factor after a step.</summary>
    /// <param name="finite">Whether the norm of its gradients was finite.</param>
    public LossScale After(bool finite)
    {
        if (!Dynamic)
            return this;
        if (!finite)
            return this with { Value = Math.Max(Value / 2, 1), GoodSteps = 0 };
        return GoodSteps + 1 < GoodStepsToDouble ? this with { GoodSteps = GoodSteps + 1 } : this with { Value = Math.Min(Value * 2, Largest), GoodSteps = 0 };
    }
}
