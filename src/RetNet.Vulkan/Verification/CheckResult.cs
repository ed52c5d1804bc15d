namespace RetNet.Vulkan.Verification;

/// <summary>What a check found.</summary>
public sealed record CheckResult
{
    /// <summary>What was checked: a kernel variant, or a form on the model.</summary>
    public required string Name { get; init; }

    /// <summary>What it was compared with.</summary>
    public required string Against { get; init; }

    /// <summary>What it uses of the device beyond the base.</summary>
    public IReadOnlyList<string> Uses { get; init; } = [];

    /// <summary>What of it the device lacks; the check was not run where that is anything.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>Cases, or tokens on the model, that were compared.</summary>
    public int Cases { get; init; }

    /// <summary>The largest max|Δ| / max|reference| of all cases.</summary>
    public double Error { get; init; }

    /// <summary>The largest error allowed.</summary>
    public required double Allowed { get; init; }

    /// <summary>The first thing that was wrong, in words; null where nothing was.</summary>
    public string? Problem { get; init; }

    /// <summary>Something else to know, such as what was left out; null where there is nothing.</summary>
    public string? Note { get; init; }

    /// <summary>Whether it was run; not where the device lacks something or nothing was compared.</summary>
    public bool HasRun => Missing.Count == 0 && (Cases > 0 || Problem is not null);

    /// <summary>Whether it was run and something was wrong.</summary>
    public bool IsWrong => Problem is not null;
}
