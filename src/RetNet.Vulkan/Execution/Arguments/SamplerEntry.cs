using System.Runtime.CompilerServices;

namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>A sequence's entry in the table that shaders/sampling/sample.comp reads: <c>Sampler</c> there.</summary>
internal struct SamplerEntry
{
    /// <summary>Tokens that may end a sequence.</summary>
    public const int MostEnds = 8;

    private const uint NoToken = uint.MaxValue;

    public float Temperature;
    public uint TopK;
    public float TopP;
    public float LogMinP;
    public float RepeatPenalty;
    public uint RepeatWindow;
    public uint SeedLow;
    public uint SeedHigh;
    public EndTokens Ends;

    /// <summary>The entry of a sequence that samples by <paramref name="options"/> until one of the <paramref name="ends"/> is drawn.</summary>
    public static SamplerEntry Of(SamplerOptions options, params IReadOnlyCollection<int> ends)
    {
        var entry = new SamplerEntry
        {
            Temperature = options.Temperature,
            TopK = (uint)options.TopK,
            TopP = options.TopP,
            LogMinP = MathF.Log(options.MinP),
            RepeatPenalty = options.RepeatPenalty,
            RepeatWindow = (uint)options.RepeatWindow,
            SeedLow = (uint)options.Seed,
            SeedHigh = (uint)(options.Seed >> 32),
        };
        ((Span<uint>)entry.Ends).Fill(NoToken);
        var at = 0;
        foreach (var end in ends)
            entry.Ends[at++] = (uint)end;
        return entry;
    }

    [InlineArray(MostEnds)]
    public struct EndTokens
    {
        private uint _first;
    }
}
